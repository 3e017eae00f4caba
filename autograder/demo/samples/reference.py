"""The solutions of the source notebooks, with their written answers.

Earns: full marks.
"""

# %% notebook knn
# %% start from solutions-and-answers
# %% notebook svm
# %% start from solutions-and-answers
# %% notebook softmax
# %% start from solutions-and-answers
# %% notebook two_layer_net
# %% start from solutions-and-answers
# %% notebook features
# %% start from solutions-and-answers
# %% notebook FullyConnectedNets
# %% start from solutions-and-answers
# %% notebook BatchNormalization
# %% start from solutions-and-answers
# %% notebook Dropout
# %% start from solutions-and-answers
# %% notebook ConvolutionalNetworks
# %% start from solutions-and-answers
# %% notebook PyTorch
# %% start from solutions-and-answers
# %% notebook Network_Visualization
# %% start from solutions-and-answers
# %% notebook Style_Transfer
# %% start from solutions-and-answers
# %% notebook RNN_Captioning
# %% start from solutions-and-answers
# %% notebook LSTM_Captioning
# %% start from solutions-and-answers
# %% notebook Transformer_Captioning
# %% start from solutions-and-answers
# %% notebook Generative_Adversarial_Networks
# %% start from solutions-and-answers
# %% notebook Self_Supervised_Learning
# %% start from solutions-and-answers
# %% notebook DDPM
# %% start from solutions-and-answers
# %% notebook CLIP_DINO
# %% start from solutions-and-answers
# %% notebook Reinforcement_Learning
# %% start from solutions-and-answers
# %% notebook Seq2Seq_Attention
# %% start from solutions-and-answers
# %% notebook Model_Compression
# %% start from solutions-and-answers
