"""Right in another style: as in published solutions, layer by layer; a net with pooling."""

import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


# %% start from solutions
# %% definitions of three-layer-convnet
def three_layer_convnet(x, params):
    conv_w1, conv_b1, conv_w2, conv_b2, fc_w, fc_b = params
    scores = None
    x = F.conv2d(x, conv_w1, bias=conv_b1, padding=2)
    x = F.relu(x)
    x = F.conv2d(x, conv_w2, bias=conv_b2, padding=1)
    x = F.relu(x)
    x = flatten(x)
    scores = x.mm(fc_w) + fc_b
    return scores


# %% cell barebones-convnet
learning_rate = 3e-3

channel_1 = 32
channel_2 = 16

conv_w1 = random_weight((channel_1, 3, 5, 5))
conv_b1 = zero_weight(channel_1)
conv_w2 = random_weight((channel_2, channel_1, 3, 3))
conv_b2 = zero_weight(channel_2)
fc_w = random_weight((channel_2 * 32 * 32, 10))
fc_b = zero_weight(10)

params = [conv_w1, conv_b1, conv_w2, conv_b2, fc_w, fc_b]
train_part2(three_layer_convnet, params, learning_rate)


# %% cell three-layer-module
class ThreeLayerConvNet(nn.Module):
    def __init__(self, in_channel, channel_1, channel_2, num_classes):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channel, channel_1, kernel_size=5, stride=1, padding=2)
        nn.init.kaiming_normal_(self.conv1.weight)
        nn.init.constant_(self.conv1.bias, 0)
        self.conv2 = nn.Conv2d(channel_1, channel_2, kernel_size=3, stride=1, padding=1)
        nn.init.kaiming_normal_(self.conv2.weight)
        nn.init.constant_(self.conv2.bias, 0)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(channel_2 * 32 * 32, num_classes)
        nn.init.kaiming_normal_(self.fc.weight)
        nn.init.constant_(self.fc.bias, 0)

    def forward(self, x):
        scores = None
        x = self.relu(self.conv1(x))
        x = self.relu(self.conv2(x))
        scores = self.fc(flatten(x))
        return scores


# %% cell module-training
learning_rate = 3e-3
channel_1 = 32
channel_2 = 16

model = None
optimizer = None
model = ThreeLayerConvNet(3, channel_1, channel_2, 10)
optimizer = optim.SGD(params=model.parameters(), lr=learning_rate)

train_part34(model, optimizer)

# %% cell sequential-training
channel_1 = 32
channel_2 = 16
learning_rate = 1e-2

model = nn.Sequential(
    nn.Conv2d(3, channel_1, (5, 5), padding=2),
    nn.ReLU(),
    nn.Conv2d(channel_1, channel_2, (3, 3), padding=1),
    nn.ReLU(),
    Flatten(),
    nn.Linear(channel_2 * 32 * 32, 10),
)
optimizer = optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9, nesterov=True)

train_part34(model, optimizer)

# %% cell open-challenge
model = None
optimizer = None

layer1 = nn.Sequential(
    nn.Conv2d(3, 32, kernel_size=3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)
)
layer2 = nn.Sequential(
    nn.Conv2d(32, 48, kernel_size=3, padding=1), nn.BatchNorm2d(48), nn.ReLU(), nn.MaxPool2d(2)
)
layer3 = nn.Sequential(
    nn.Conv2d(48, 96, kernel_size=3, padding=1), nn.BatchNorm2d(96), nn.ReLU(), nn.MaxPool2d(2)
)
fc = nn.Linear(96 * 4 * 4, 10)
model = nn.Sequential(layer1, layer2, layer3, Flatten(), fc)
optimizer = optim.Adam(model.parameters(), lr=1e-3)

train_part34(model, optimizer, epochs=5)
