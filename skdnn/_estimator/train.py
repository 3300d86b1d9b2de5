"""Training of what `prepare` returned."""

from skdnn._estimator.network_training import TrainedNetwork
from skdnn._estimator.plain import PlainNetwork, train_plain
from skdnn._estimator.prepare import PreparedFit
from skdnn._estimator.recipe import RecipeNetwork, train_recipe
from skdnn._runtime.progress import Progress


def train(prepared: PreparedFit, *, verbose: bool) -> list[TrainedNetwork]:
    """Train the networks: plain ones side by side, recipes one after the other."""
    networks = prepared.networks
    with Progress(prepared.n_epochs, "epoch", verbose) as progress:
        plain = [n for n in networks if isinstance(n, PlainNetwork)]
        recipes = [n for n in networks if isinstance(n, RecipeNetwork)]
        if plain:
            return train_plain(plain, progress)
        # the members of a recipe train side by side
        return [train_recipe(network, progress) for network in recipes]
