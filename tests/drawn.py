"""What a reader sees on a plot."""

from matplotlib.text import Text


def labels(ax):
    """Return the labels of the rows, from the top down."""
    return [text.get_text() for text in ax.get_yticklabels()]


def texts(ax):
    """Return all texts of the figure."""
    return {text.get_text() for text in ax.figure.findobj(Text)}
