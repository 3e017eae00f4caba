"""Right answers that take their arguments along to the notebook's device."""

import torch.nn as nn
import torch.nn.functional as F  # noqa: N812


# %% start from solutions
# %% definitions of three-layer-convnet
def three_layer_convnet(x, params):
    x = x.to(device)
    conv_w1, conv_b1, conv_w2, conv_b2, fc_w, fc_b = (p.to(device) for p in params)
    hidden = F.relu(F.conv2d(x, conv_w1, conv_b1, padding=2))
    hidden = F.relu(F.conv2d(hidden, conv_w2, conv_b2, padding=1))
    return flatten(hidden) @ fc_w + fc_b


# %% definitions of three-layer-module
def __init__(self, in_channel, channel_1, channel_2, num_classes):
    super().__init__()
    self.conv1 = nn.Conv2d(in_channel, channel_1, 5, padding=2)
    self.conv2 = nn.Conv2d(channel_1, channel_2, 3, padding=1)
    self.fc = nn.Linear(channel_2 * 32 * 32, num_classes)
    for layer in (self.conv1, self.conv2, self.fc):
        nn.init.kaiming_normal_(layer.weight)
    self.to(device)


def forward(self, x):
    x = x.to(device)
    x = F.relu(self.conv1(x))
    x = F.relu(self.conv2(x))
    return self.fc(flatten(x))


# %% cell module-training
learning_rate = 3e-3
channel_1 = 32
channel_2 = 16
seed_everything(2)
model = ThreeLayerConvNet(3, channel_1, channel_2, 10).to(device)
optimizer = optim.SGD(model.parameters(), lr=learning_rate)

train_part34(model, optimizer)

# %% cell sequential-training
channel_1 = 32
channel_2 = 16
learning_rate = 1e-2
seed_everything(3)
model = nn.Sequential(
    nn.Conv2d(3, channel_1, 5, padding=2),
    nn.ReLU(),
    nn.Conv2d(channel_1, channel_2, 3, padding=1),
    nn.ReLU(),
    Flatten(),
    nn.Linear(channel_2 * 32 * 32, 10),
).to(device)
optimizer = optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9, nesterov=True)

train_part34(model, optimizer)
