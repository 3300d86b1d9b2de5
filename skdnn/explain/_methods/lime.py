"""LIME: a weighted linear surrogate around each row.

Around a row, rows are drawn whose players come independently from the background, so
that words stay words and missing cells stay possible. A surrogate is fitted to whether
each player is *like* the row's: the same level, both missing, or a number in the same
quarter of the background's numbers; a group, if all its cells are. These are lime's
own defaults (Ribeiro et al., 2016, with discretised columns), but for two: numbers are
drawn from those that occur, where lime draws from a normal curve fitted to each
quarter; and what is rare in the background is drawn more often.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skdnn._runtime.progress import Progress
from skdnn.explain._model.images import picture
from skdnn.explain._model.names import check_option
from skdnn.explain._model.players import cells_of, players
from skdnn.explain._model.target import Problem, Step, no_step, open_problem
from skdnn.explain._results.attributions import Attributions

METHODS = ("auto", "tabular")
BATCH_ROWS = 5000  # lime's own, in all
RIDGE = 1.0  # lime's own
_MAX_BATCHES = 20
_KERNEL_WIDTH = 0.75  # lime's own, times the root of the number of players
# A player is drawn as the row has it in this share of the rows at least.
_LEAST_LIKE = 0.2
# Correlation of the ranks of two runs, as the errors let expect it.
_STABLE = 0.98
_N_IMAGINED = 40
# Levels of a column that the surrogate's errors are freed from.
_MAX_LEVELS = 10


def lime(
    estimator,
    X,
    *,
    background=None,
    method="auto",
    output="probability",
    groups=None,
    random_state=None,
    verbose=False,
):
    """Explain each prediction by a linear surrogate around its row.

    Parameters
    ----------
    estimator : object
        A fitted classifier with `predict_proba` and `classes_`.
    X : {array-like, DataFrame} of shape (n_samples, n_features)
        Rows to explain; or images or sequences, an array of three dimensions or more,
        whose cells are the columns.
    background : like X, default=None
        Rows whose cells are drawn from around each row: the training data, as a rule.
        None takes X.
    method : {"auto", "tabular"}, default="auto"
        "auto" draws 5000 rows at a time until another seed would put the columns in
        the same order (rank correlation above 0.98), 100 000 at most. "tabular" asks
        lime's own explainer, once: for tables without missing cells.
    output : {"probability", "log_odds"}, default="probability"
        What is explained.
    groups : dict of str to columns, or list of lists of columns, default=None
        Several columns, by name or position, are drawn together, from the same row.
        Columns that are not listed are on their own.
    random_state : int, RandomState or None, default=None
        Draws the rows around each; no global seed is read or changed.
    verbose : bool, default=False
        Whether one live line on stderr shows progress.

    Returns
    -------
    Attributions
        ``values`` of shape (n_samples, n_features, n_classes): the change of the
        output, in the surrogate, when the column's cell is like the row's (the same
        level; a number in the same quarter of the background; both missing) instead
        of unlike it; a group is like the row's if all its cells are. ``base_values``
        (n_samples, n_classes) are intercepts. ``score`` of shape (n_samples,
        n_classes) is each surrogate's weighted R²; where it is below 0.5, ``poor_fit``
        is True: the surrogate is no good picture of the classifier.

    Raises
    ------
    ValueError, TypeError, sklearn.exceptions.NotFittedError
        As for `shap`.

    Notes
    -----
    What the row has and less than a fifth of the background is drawn in a fifth of the
    rows. Standard errors hold for other draws of rows, not for another background.

    References
    ----------
    .. [1] Ribeiro, Singh and Guestrin (2016), "Why should I trust you?": explaining
       the predictions of any classifier.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdnn import explain
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X, y)
    >>> result = explain.lime(model, X[:1], background=X, random_state=0)
    >>> result.frame().sort_values("value").iloc[-1]["feature"]
    'petal length (cm)'
    """
    check_option("method", method, METHODS)
    problem = open_problem(estimator, X, background=background, output=output)
    with Progress(len(problem.X), "LIME row", verbose) as progress:
        return compute_lime(problem, method, groups, random_state, progress.step)


def compute_lime(
    problem: Problem,
    method: str = "auto",
    groups: Any = None,
    random_state: Any = None,
    step: Step = no_step,
) -> Attributions:
    """Return surrogates' coefficients of every row of an opened problem."""
    target = problem.target.stacked()
    problem = replace(problem, target=target)
    everyone = players(target.feature_names, groups)
    predictions = target.predict(problem.X)  # first, if the classifier refuses a row
    # all rows from the same seed: what is told of a row does not hang on the others
    row_seed = int(check_random_state(random_state).randint(2**31 - 1))
    if method == "tabular":
        ask = _lime_tabular(problem, groups, row_seed)
    else:
        bins = Bins(problem)
        columns = [positions for _, positions in everyone]

        def ask(row):
            return _until_stable(problem, bins, columns, row, row_seed)

    told = []
    for row in problem.X:
        told.append(ask(row))
        step()
    values, refit_errors = target.split(np.stack([s.coefs for s, _ in told]))
    of_classes = slice(target.n_classes)
    return Attributions(
        values=values,
        std_errors=np.stack([s.errors[:, of_classes] for s, _ in told]),
        base_values=np.stack([s.intercept[of_classes] for s, _ in told]),
        predictions=predictions[:, of_classes],
        feature_names=[name for name, _ in everyone],
        class_names=target.class_names,
        data=cells_of(problem.data, everyone),
        method=f"up to {max(n for _, n in told)} rows around each",
        output=target.output,
        n_background=len(problem.background),
        random_state=random_state,
        refit_errors=refit_errors,
        score=np.stack([s.score[of_classes] for s, _ in told]),
        n_refits=target.n_refits,
        **picture(target.estimator, problem.X, everyone),
    )


@dataclass(frozen=True)
class Surrogate:
    """A linear model of every class around one row.

    Parameters
    ----------
    intercept, score : ndarray of shape (n_classes,)
        Where nothing is like the row; weighted R², 0 for an output that does not vary.
    coefs, errors : ndarray of shape (n_players, n_classes)
        Coefficients and their standard errors.
    """

    intercept: np.ndarray
    coefs: np.ndarray
    errors: np.ndarray
    score: np.ndarray


def _until_stable(problem, bins, columns, row, seed) -> tuple[Surrogate, int]:
    """Fit surrogates to more and more rows until their ranks are settled.

    Returns
    -------
    surrogate : Surrogate
        The mean of one for each batch of rows.
    n_rows : int
        Rows drawn.
    """
    draw = np.random.RandomState(seed)
    pools = [Pool(problem, bins, row, positions) for positions in columns]
    batches: list[Surrogate] = []
    while len(batches) < _MAX_BATCHES:
        rows, like, terms = draw_rows(pools, row, BATCH_ROWS, draw)
        output = problem.target.predict(rows, copy=False)
        batches.append(fit_surrogate(like, output, terms))
        surrogate = _mean(batches)
        if _is_stable(surrogate, problem.target.n_classes, draw):
            break
    return surrogate, len(batches) * BATCH_ROWS


def _mean(batches: list[Surrogate]) -> Surrogate:
    parts = {
        name: np.mean([getattr(batch, name) for batch in batches], axis=0)
        for name in ("intercept", "coefs", "score")
    }
    squares = np.sum([batch.errors**2 for batch in batches], axis=0)
    return Surrogate(errors=np.sqrt(squares) / len(batches), **parts)


def _is_stable(
    surrogate: Surrogate, n_classes: int, draw: np.random.RandomState
) -> bool:
    """Return whether another run would put the players in the same order.

    For each class, that is; members of an ensemble, which come after, do not count.

    Runs are imagined whose coefficients differ from these by their errors; by twice
    the variance, as these differ from the truth themselves.
    """
    n_players = len(surrogate.coefs)
    known = np.flatnonzero(surrogate.errors[:, :n_classes].any(axis=0))
    if n_players == 1 or not len(known):
        return True
    coefs, errors = surrogate.coefs[:, known], surrogate.errors[:, known]
    noise = np.sqrt(2) * draw.normal(size=(2, _N_IMAGINED, *coefs.shape))
    order = np.abs(coefs + errors * noise).argsort(axis=2)
    ranks = order.argsort(axis=2)
    apart = ((ranks[0] - ranks[1]) ** 2).sum(axis=1)
    # Spearman's correlation
    return bool((1 - 6 * apart / (n_players * (n_players**2 - 1))).mean() > _STABLE)


class Bins:
    """Which cells count as alike: levels as they are, numbers by quarters.

    Parameters
    ----------
    problem : Problem
        Its background rows make the quarters.
    """

    def __init__(self, problem: Problem):
        self._edges = []
        for j, column in enumerate(problem.target.columns):
            known = problem.background[:, j]
            known = known[~np.isnan(known)]
            numeric = column.is_numeric and len(known)
            self._edges.append(
                np.unique(np.quantile(known, [0.25, 0.5, 0.75])) if numeric else None
            )

    def of(self, cells: np.ndarray, j: int) -> np.ndarray:
        """Return the bin of each cell of a column; missing cells have their own."""
        edges = self._edges[j]
        bins = cells if edges is None else np.searchsorted(edges, cells)
        return np.where(np.isnan(cells), -1, bins)


class Pool:
    """What one player can be drawn as: a background row's cells, or the row's own.

    Parameters
    ----------
    problem : Problem
        Its background is drawn from.
    bins : Bins
        Which cells are alike.
    row : ndarray of shape (n_columns,)
        The explained row.
    columns : list of int
        The player's columns, drawn together.

    Attributes
    ----------
    cells : ndarray of shape (n_background + 1, n_player_columns)
        The row's own come last.
    like : ndarray of shape (n_background + 1,)
        Whether they are like the row's.
    terms : ndarray of shape (n_background + 1, n_terms)
        What cells differ by among those that are like, and among those that are not:
        both have mean 0.
    own : float
        Share of the rows that get the row's own cells.
    """

    def __init__(self, problem: Problem, bins: Bins, row: np.ndarray, columns):
        self.columns = columns
        self.cells = np.vstack([problem.background[:, columns], row[columns]])
        alike = [
            bins.of(self.cells[:, place], j) == bins.of(row[[j]], j)
            for place, j in enumerate(columns)
        ]
        self.like = np.all(alike, axis=0)
        share = self.like[:-1].mean()
        self.own = max(0.0, (_LEAST_LIKE - share) / (1 - share)) if share < 1 else 0.0
        chances = np.full(len(self.cells), (1 - self.own) / len(problem.background))
        chances[-1] = self.own
        terms = np.hstack(
            [
                _terms(self.cells[:, place], problem.target.columns[j].is_numeric)
                for place, j in enumerate(columns)
            ]
        )
        for part in (self.like, ~self.like):
            weight = chances[part]
            if weight.sum() > 0:
                terms[part] -= weight @ terms[part] / weight.sum()
        self.terms = terms[:, np.abs(terms[chances > 0]).max(axis=0) > 1e-9]

    def draw(self, n_rows: int, draw: np.random.RandomState) -> np.ndarray:
        """Return positions in `cells`."""
        places = draw.randint(len(self.cells) - 1, size=n_rows)
        if self.own:
            places[draw.random_sample(n_rows) < self.own] = len(self.cells) - 1
        return places


def _terms(cells: np.ndarray, is_numeric: bool) -> np.ndarray:
    """Return a number and whether it is known, or the commonest levels, as columns."""
    if is_numeric:
        known = np.isfinite(cells)
        size = np.where(known, cells, 0)
        size = size / (np.abs(size).max() or 1.0)
        size = np.where(known, size - size[known].mean(), 0) if known.any() else size
        return np.column_stack([size / (size.std() or 1.0), known])
    levels, counts = np.unique(cells, return_counts=True)
    common = levels[np.argsort(-counts, kind="stable")[:_MAX_LEVELS]]
    return (cells[:, None] == common).astype(float)


def draw_rows(
    pools: list[Pool], row: np.ndarray, n_rows: int, draw: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw rows around one.

    Returns
    -------
    rows : ndarray of shape (n_rows, n_columns)
        Coded rows.
    like : ndarray of shape (n_rows, n_players)
        Whether each player is like the row's.
    terms : ndarray of shape (n_rows, n_terms)
        What else cells differ by; see `Pool`.
    """
    rows = np.empty((n_rows, len(row)))
    like = np.empty((n_rows, len(pools)), dtype=bool)
    terms = []
    for place, pool in enumerate(pools):
        drawn = pool.draw(n_rows, draw)
        rows[:, pool.columns] = pool.cells[drawn]
        like[:, place] = pool.like[drawn]
        terms.append(pool.terms[drawn])
    return rows, like, np.hstack(terms)


def kernel_weights(like: np.ndarray) -> np.ndarray:
    """Return how much each row counts: the more players are alike, the more."""
    unlike = like.shape[1] - like.sum(axis=1)
    width = _KERNEL_WIDTH * np.sqrt(like.shape[1])
    # lime's kernel of the Euclidean distance between rows of zeros and ones
    return np.sqrt(np.exp(-unlike / width**2))


def fit_surrogate(
    like: np.ndarray, output: np.ndarray, terms: np.ndarray | None = None
) -> Surrogate:
    """Fit one weighted ridge regression for all classes at once.

    Parameters
    ----------
    like : ndarray of shape (n_rows, n_players)
        Zeros and ones.
    output : ndarray of shape (n_rows, n_classes)
        What is to be approximated.
    terms : ndarray of shape (n_rows, n_terms), default=None
        What the output may depend on besides. They have mean 0 whatever is like, so
        that they leave the coefficients what they are, less noise.

    Returns
    -------
    Surrogate
        Errors hold for unequal variances (White, 1980).
    """
    n, d = like.shape
    weight = kernel_weights(like)
    total = weight.sum()
    F = np.hstack([like, terms]) if terms is not None else like.astype(float)
    F_mean, y_mean = weight @ F / total, weight @ output / total
    Fc, yc = F - F_mean, output - y_mean
    bread = np.linalg.inv((Fc.T * weight) @ Fc + RIDGE * np.eye(F.shape[1]))
    solved = bread @ ((Fc.T * weight) @ yc)
    coefs = solved[:d]
    projected = (Fc * weight[:, None]) @ bread[:, :d]
    freedom = max(1, n - F.shape[1] - 1) / n
    errors = np.sqrt((projected**2).T @ (yc - Fc @ solved) ** 2 / freedom)
    spread = weight @ yc**2
    flat = spread <= 1e-12 * total
    left = weight @ (yc - Fc[:, :d] @ coefs) ** 2
    score = np.where(flat, 0.0, 1 - left / np.where(flat, 1, spread))
    return Surrogate(y_mean - F_mean @ solved, coefs, errors, score)


def _lime_tabular(problem: Problem, groups, seed: int):
    """Return a function that asks lime's own explainer about a row."""
    from lime.lime_tabular import LimeTabularExplainer

    target, background = problem.target, problem.background
    _check_tabular(problem, groups)
    words = [j for j, column in enumerate(target.columns) if not column.is_numeric]
    numbers = [j for j, column in enumerate(target.columns) if column.is_numeric]

    def ask(row):
        # an explainer's seed is used up by what it explains
        explainer = LimeTabularExplainer(
            background, categorical_features=words, feature_selection="none",
            random_state=seed,
        )  # fmt: skip
        seen = []

        def predict(rows):
            seen.append((rows, target.predict(rows)))
            return seen[-1][1][:, : target.n_classes]

        told = explainer.explain_instance(
            row, predict, labels=range(target.n_classes),
            num_features=target.n_features, num_samples=BATCH_ROWS,
        )  # fmt: skip
        rows, output = seen[0]
        like = rows == row
        bins = explainer.discretizer.discretize
        like[:, numbers] = (bins(rows) == bins(row))[:, numbers]
        # lime tells neither errors nor the score of every class, nor members
        ours = fit_surrogate(like, output)
        coefs = ours.coefs.copy()
        coefs[:, : target.n_classes] = [
            [dict(told.local_exp[k])[j] for k in range(target.n_classes)]
            for j in range(target.n_features)
        ]
        intercept = np.array([told.intercept[k] for k in range(target.n_classes)])
        return Surrogate(intercept, coefs, ours.errors, ours.score), BATCH_ROWS

    return ask


def _check_tabular(problem: Problem, groups) -> None:
    if groups or problem.target.output != "probability":
        raise ValueError(
            "method='tabular' must go without `groups` and with output='probability', "
            "as lime knows nothing else. Got one of them; use method='auto'."
        )
    if not (np.isfinite(problem.X).all() and np.isfinite(problem.background).all()):
        raise ValueError(
            "method='tabular' must have no missing or infinite cells, which lime "
            "cannot draw. Got some; use method='auto'."
        )
