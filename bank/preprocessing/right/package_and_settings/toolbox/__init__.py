from .encoding import one_hot
from .scaling import channel_statistics, standardise
from .splitting import split_indices
from .types_ import PreparedData
