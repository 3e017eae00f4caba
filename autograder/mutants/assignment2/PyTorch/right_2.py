"""Right in another style: einsum, float32, a Sequential inside the module, loops of one's own."""

import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


# %% start from solutions
# %% definitions of three-layer-convnet
def three_layer_convnet(x, params):
    w1, b1, w2, b2, fc_w, fc_b = (param.float() for param in params)
    h = F.pad(x.float(), (2, 2, 2, 2))
    h = torch.clamp(F.conv2d(h, w1) + b1[:, None, None], min=0)
    h = torch.conv2d(h, w2, padding=1) + b2.view(1, -1, 1, 1)
    h = torch.where(h > 0, h, torch.zeros_like(h))
    return torch.einsum("nd,dc->nc", h.reshape(h.shape[0], -1), fc_w) + fc_b


# %% cell barebones-convnet
learning_rate = 3e-3
channel_1, channel_2 = 32, 16
shapes = [
    (channel_1, 3, 5, 5),
    (channel_1,),
    (channel_2, channel_1, 3, 3),
    (channel_2,),
    (channel_2 * 1024, 10),
    (10,),
]
params = [random_weight(s) if len(s) > 1 else zero_weight(s) for s in shapes]
conv_w1, conv_b1, conv_w2, conv_b2, fc_w, fc_b = params
train_part2(model_fn=three_layer_convnet, params=params, learning_rate=learning_rate)


# %% cell three-layer-module
class ThreeLayerConvNet(nn.Module):
    def __init__(self, in_channel, channel_1, channel_2, num_classes):
        super(ThreeLayerConvNet, self).__init__()
        last = nn.Linear(channel_2 * 32 * 32, num_classes)
        body = [
            nn.Conv2d(in_channel, channel_1, (5, 5), padding="same"),
            nn.ReLU(inplace=True),
            nn.Conv2d(channel_1, channel_2, (3, 3), padding="same"),
            nn.ReLU(inplace=True),
            nn.Flatten(),
            last,
        ]
        self.out = last
        self.body = nn.Sequential(*body)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def forward(self, x):
        return self.body(x)


# %% cell module-training
channel_1 = 32
channel_2 = 16
net = ThreeLayerConvNet(in_channel=3, channel_1=channel_1, channel_2=channel_2, num_classes=10)
model = net.to(device)
optimizer = torch.optim.SGD([{"params": [p]} for p in model.parameters()], lr=3e-3, momentum=0)
train_part34(model, optimizer, epochs=1)

# %% cell sequential-training
from collections import OrderedDict

layers = OrderedDict(
    conv1=nn.Conv2d(3, 32, 5, 1, 2),
    relu1=nn.ReLU(),
    conv2=nn.Conv2d(32, 16, 3, 1, 1),
    relu2=nn.ReLU(),
    flatten=nn.Flatten(),
    fc=nn.Linear(16 * 32 * 32, 10),
)
model = nn.Sequential(layers).to(device=device)
optimizer = optim.SGD(list(model.parameters()), 1e-2, 0.9, nesterov=True)
train_part34(model, optimizer)

# %% cell open-challenge
model = nn.Sequential(
    nn.Conv2d(3, 32, 5, stride=2, padding=2, bias=False),
    nn.BatchNorm2d(32),
    nn.ReLU(),
    ResidualBlock(32, 64, stride=2),
    nn.Conv2d(64, 96, 3, stride=2, padding=1, bias=False),
    nn.BatchNorm2d(96),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(96 * 16, 10),
).to(device)
optimizer = optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
best_val = -1.0
for _ in range(6):
    model.train()
    for x, y in loader_train:
        loss = F.cross_entropy(model(random_flip(x).to(device=device, dtype=dtype)), y.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for group in optimizer.param_groups:
        group["lr"] *= 0.6
    val = check_accuracy_part34(loader_val, model)
    if val > best_val:
        best_val, best_model = val, copy.deepcopy(model)
