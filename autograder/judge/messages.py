"""Well-known messages of Python, NumPy and PyTorch whose variable parts tell no number of an input.

``INT``, ``SHAPE``, ``NAME``, ``QUALIFIED`` and ``OP`` stand for variable parts; the rest of a line
is a regular expression for a whole message. See `told`, which reads them.
"""

# ruff: noqa: E501

PARTS = {
    "NAME": r"[A-Za-z_][\w.]*",
    "QUALIFIED": r"[A-Za-z_<][\w.<>]*",
    "INT": r"-?\d{1,7}",
    "SHAPE": r"[(\[](?:\d{1,7}(?:, ?\d{1,7}){0,7})?,?[)\]]",
    "OP": r"[-+*/%@&|^<>=!]{1,3}=?",
}

FORMS = r"""
name 'NAME' is not defined( in the notebook)?(\. Did you mean: 'NAME'\?)?
cannot access (local|free) variable 'NAME' where it is not associated with a value( in enclosing scope)?
cannot access free variable 'NAME' where it is not associated with a value in enclosing scope
'?NAME'? object is not (callable|iterable|subscriptable|an iterator|reversible|a mapping)
'NAME' object has no attribute 'NAME'(\. Did you mean: 'NAME'\?)?
(type object|module) 'NAME' has no attribute 'NAME'(\. Did you mean: 'NAME'\?)?
'NAME' object (does not support item (assignment|deletion)|cannot be interpreted as an integer)
'NAME' object does not support the (asynchronous )?context manager protocol
object of type 'NAME' has no len\(\)
unsupported operand type\(s\) for OP( or pow\(\))?: 'NAME' and 'NAME'
'OP' not supported between instances of 'NAME' and 'NAME'
bad operand type for (unary OP|abs\(\)): 'NAME'
unhashable type: '?NAME'?
argument of type 'NAME' is not (iterable|a container or iterable)
can only concatenate NAME \(not "NAME"\) to NAME
can't multiply sequence by non-int of type 'NAME'
(list|tuple|string|byte) ?(indices|index) must be integers( or slices)?, not ('NAME'|NAME)
slice indices must be integers or None or have an __index__ method
must be real number, not NAME
(int|float|complex)\(\) argument must be a string(, a bytes-like object)? or a real number, not 'NAME'
QUALIFIED\(\) missing INT required (positional|keyword-only) arguments?: 'NAME'(((,| and|, and) 'NAME')*)
QUALIFIED\(\) takes (no arguments|INT positional arguments? but INT (was|were) given( \(INT given\))?)
QUALIFIED\(\) takes from INT to INT positional arguments but INT (was|were) given
QUALIFIED\(\) got an unexpected keyword argument 'NAME'(\. Did you mean '?NAME'?\?)?
QUALIFIED\(\) got multiple values for (keyword )?argument 'NAME'
QUALIFIED\(\) got some positional-only arguments passed as keyword arguments: 'NAME'
cannot unpack non-iterable NAME object
too many values to unpack \(expected INT(, got INT)?\)
not enough values to unpack \(expected (at least )?INT, got INT\)
(list|tuple|string|list assignment|range object|pop) index out of range
pop from (an )?empty (list|deque|set|dict)
(integer |float )?(division|modulo|division or modulo) by zero
math (domain|range) error
expected a (nonnegative|positive) input, got a? ?(negative|zero)? ?value
No module named '?NAME'?
No module named 'NAME': this notebook is graded without NAME\. Its questions are to be answered with NumPy; remove the import
maximum recursion depth exceeded( while calling a Python object| in comparison)?
dictionary (changed size|keys changed) during iteration
(min|max)\(\) (arg|iterable argument) is (an empty sequence|empty)
the value takes INT MB; at most INT MB can be sent
NAME is not plain data and cannot be sent
interrupted
invalid syntax(\. Perhaps you forgot a comma\?|\. Maybe you meant '==' or ':=' instead of '='\?)?
(unexpected|expected an) indent(ed block)?( after '?[a-z ]+'? ?(statement|definition)? on line INT)?
unterminated (triple-quoted )?string literal \(detected at line INT\)
'[({[]' was never closed
expected ':'
Unable to allocate \d{1,4}(\.\d{1,2})? [KMGT]?i?B(ytes)? for an array with shape SHAPE and data type NAME
operands could not be broadcast together with( remapped)? shapes( \[original->remapped\]:)?( SHAPE(->SHAPE)?)+( and requested shape SHAPE)? ?
could not broadcast input array from shape SHAPE into shape SHAPE
non-broadcastable output operand with shape SHAPE doesn't match the broadcast shape SHAPE
shapes SHAPE and SHAPE not aligned: INT \(dim INT\) != INT \(dim INT\)
shape mismatch: objects cannot be broadcast to a single shape(\. +Mismatch is between arg INT with shape SHAPE and arg INT with shape SHAPE\.)?
shape mismatch: indexing arrays could not be broadcast together with shapes( SHAPE)+ ?
shape mismatch: value array of shape SHAPE could not be broadcast to indexing result of shape SHAPE
NumPy boolean array indexing assignment cannot assign INT input values to the INT output values where the mask is true
NumPy boolean array indexing assignment requires a 0 or 1-dimensional input, input has INT dimensions
matmul: Input operand INT has a mismatch in its core dimension INT, with gufunc signature [()?,nmkpij>-]+ \(size INT is different from INT\)
matmul: Input operand INT does not have enough dimensions \(has INT, gufunc core with signature [()?,nmkpij>-]+ requires INT\)
cannot reshape array of size INT into shape SHAPE
index INT is out of bounds for (axis|dimension) INT with size INT
index INT is out of bounds for size INT
too many indices for (array: array is INT-dimensional, but INT were indexed|tensor of dimension INT)
axis INT is out of bounds for array of dimension INT
(axes don't match array|repeated axis in transpose|axis must be an integer, None, or a tuple of ints)
boolean index did not match indexed array along (axis|dimension) INT; size of axis is INT but size of corresponding boolean axis is INT
boolean index did not match indexed array along dimension INT; dimension is INT but corresponding boolean dimension is INT
all the input array dimensions except for the concatenation axis must match exactly, but along dimension INT, the array at index INT has size INT and the array at index INT has size INT
all the input arrays must have same number of dimensions, but the array at index INT has INT dimension\(s\) and the array at index INT has INT dimension\(s\)
all input arrays must have the same shape
zero-dimensional arrays cannot be concatenated
need at least one array to (concatenate|stack)
array split does not result in an equal division
number sections must be larger than 0\.
setting an array element with a sequence\.( The requested array( would exceed the maximum number of dimension of INT\.| has an inhomogeneous shape after INT dimensions\. The detected shape was SHAPE \+ inhomogeneous part\.))?
Cannot cast ufunc 'NAME' output from dtype\('NAME'\) to dtype\('NAME'\) with casting rule 'NAME'
ufunc 'NAME' not supported for the input types, and the inputs could not be safely coerced to any supported types according to the casting rule ''NAME''
The truth value of an array with more than one element is ambiguous\. Use a\.any\(\) or a\.all\(\)
The truth value of an empty array is ambiguous\. Use `array\.size > 0` to check that an array is not empty\.
only (length-1|0-dimensional) arrays can be converted to Python scalars
only integer (scalar arrays|tensors of a single element) can be converted to (a scalar index|an index)
only integers, slices \(`:`\), ellipsis \(`\.\.\.`\), numpy\.newaxis \(`None`\) and integer or boolean arrays are valid indices
arrays used as indices must be of integer \(or boolean\) type
zero-size array to reduction operation NAME which has no identity
attempt to get (argmax|argmin) of an empty sequence
cannot convert float (NaN|infinity) to integer
(assignment destination|output array) is read-only
(Singular matrix|SVD did not converge|Last 2 dimensions of the array must be square)
cannot do a non-empty take from an empty axes\.
repeats may not contain negative values\.
diag requires an array of at least two dimensions
object too deep for desired array
low >= high
a must be (greater than 0 unless no samples are taken|1-dimensional( or an integer)?)
'a' cannot be empty unless no samples are taken
Cannot take a larger sample than population when (replace is False|'replace=False')
the mask lets word INT look at no word, nor at itself
memory must have shape \(N, tokens, W\); found SHAPE beside tgt SHAPE
~ \(operator\.invert\) is only implemented on integer and Boolean-type tensors
mat1 and mat2 shapes cannot be multiplied \(INTxINT and INTxINT\)
mat1 and mat2 must have the same dtype, but got NAME and NAME
The size of tensor a \(INT\) must match the size of tensor b \(INT\) at non-singleton dimension INT
shape '?SHAPE'? is invalid for input of size INT
expected scalar type NAME but found NAME
expected (m1 and m2|NAME and NAME) to have the same dtype, but got: NAME != NAME
Given groups=INT, weight of size SHAPE, expected inputSHAPE to have INT channels, but got INT channels instead
Dimension out of range \(expected to be in range of \[INT, INT\], but got INT\)
Sizes of tensors must match except in dimension INT\. Expected size INT but got size INT for tensor number INT in the list\.
stack expects each tensor to be equal size, but got SHAPE at entry INT and SHAPE at entry INT
element INT of tensors does not require grad and does not have a grad_fn
view size is not compatible with input tensor's size and stride \(at least one dimension spans across two contiguous subspaces\)\. Use \.reshape\(\.\.\.\) instead\.
Can't call numpy\(\) on Tensor that requires grad\. Use tensor\.detach\(\)\.numpy\(\) instead\.
a leaf Variable that requires grad is being used in an in-place operation\.
grad can be implicitly created only for scalar outputs
Boolean value of Tensor with more than one value is ambiguous
a Tensor with INT elements cannot be converted to Scalar
NAME\(\): argument 'NAME' \(position INT\) must be NAME( or NAME)?, not NAME
NAME\(\): input must be NAME, not NAME
tensors used as indices must be long, int, byte or bool tensors
Only Tensors of floating point and complex dtype can require gradients
mean\(\): could not infer output dtype\. Input dtype must be either a floating point or complex dtype\. Got: NAME
The expanded size of the tensor \(INT\) must match the existing size \(INT\) at non-singleton dimension INT\. +Target sizes: SHAPE\. +Tensor sizes: SHAPE
result type NAME can't be cast to the desired output type NAME
a convolution was given x of shape SHAPE, w of shape SHAPE and b of shape SHAPE: they do not fit together
(NAME|the loss) takes (two vectors \(D,\)|one matrix \(2N, D\)|two matrices \(N, D\)); found shapes SHAPE( and SHAPE)*
gram_matrix takes features of shape \(N, C, H, W\)
predict was called before train
the parameters of this net were changed by hand
dot : expected both vectors to have same dtype, but found NAME and NAME
self must be a matrix
input has shape SHAPE and target SHAPE; they need one [a-z ,]+
"NAME" not implemented for 'NAME'
expected Tensor as element INT in argument INT, but got NAME
only integers, slices \(`:`\), ellipsis \(`\.\.\.`\), None and long or byte Variables are valid indices \(got NAME\)
Expected input batch_size \(INT\) to match target batch_size \(INT\)\.
Expected size for first two dimensions of batch2 tensor to be: SHAPE but got: SHAPE\.
index out of range in self
"""

# Types and arguments that Python, NumPy and PyTorch name in them.
_WORDS = """
listcomp genexpr dictcomp setcomp NoneType ndarray numpy Tensor torch Parameter Module function method module generator dtype
builtin_function_or_method float16 float32 float64 int8 int16 int32 int64 uint8 longdouble
complex64 complex128 Float Double Long Int Half Byte Bool Char Short FloatTensor DoubleTensor
LongTensor IntTensor HalfTensor BoolTensor ByteTensor BFloat16 StrDType Generator RandomState
Size Series DataFrame OrderedDict defaultdict deque zip map ufunc add subtract multiply divide
true_divide matmul maximum minimum exp log sqrt greater less equal concatenate stack vstack
hstack minlength same_kind safe unsafe O U S x y axis dim keepdims out size input weight bias
mat1 mat2 self other index tensors target reduce add_ mul_ sub_ div_ relu conv2d linear cat
softmax mean sum max min argmax argmin sort reshape view transpose permute expand NestedTensor
_UFuncNoLoopError LinAlgError AxisError UFuncTypeError UFuncNoLoopError lambda
softmax_lastdim_kernel_impl OutOfMemoryError NotebookError AcceleratorError Empty Full n k m p i
j
"""
WORDS = frozenset(_WORDS.split())
