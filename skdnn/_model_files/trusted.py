"""The types and functions that a model file may name, by the kind of the entry.

What is not listed is neither written nor read. skops's own lists are longer: they hold
all estimators of scikit-learn. Left out here are those whose compiled code follows
indices of the fitted content unchecked (trees, support vector machines, neighbours in
trees, splines, sparse matrices), and types that run a text of their state as code (the
distributions of scipy.stats).
"""

from functools import lru_cache

import numpy as np

# By public module; private parts of a module's name are left out when compared.
_PUBLIC = {
    "sklearn.calibration": "CalibratedClassifierCV",
    "sklearn.cluster": "FeatureAgglomeration KMeans MiniBatchKMeans",
    "sklearn.compose": "ColumnTransformer make_column_selector",
    "sklearn.cross_decomposition": "CCA PLSCanonical PLSRegression PLSSVD",
    "sklearn.decomposition": """
        DictionaryLearning FactorAnalysis FastICA IncrementalPCA KernelPCA
        LatentDirichletAllocation MiniBatchDictionaryLearning MiniBatchNMF
        MiniBatchSparsePCA NMF PCA SparseCoder SparsePCA TruncatedSVD""",
    "sklearn.discriminant_analysis": """
        LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis""",
    "sklearn.dummy": "DummyClassifier",
    "sklearn.ensemble": "BaggingClassifier StackingClassifier VotingClassifier",
    "sklearn.feature_extraction": "DictVectorizer FeatureHasher",
    "sklearn.feature_extraction.text": """
        CountVectorizer HashingVectorizer TfidfTransformer TfidfVectorizer""",
    "sklearn.feature_selection": """
        GenericUnivariateSelect RFE RFECV SelectFdr SelectFpr SelectFromModel SelectFwe
        SelectKBest SelectPercentile SequentialFeatureSelector VarianceThreshold""",
    "sklearn.frozen": "FrozenEstimator",
    "sklearn.impute": "IterativeImputer KNNImputer MissingIndicator SimpleImputer",
    "sklearn.isotonic": "IsotonicRegression",
    "sklearn.kernel_approximation": """
        AdditiveChi2Sampler Nystroem PolynomialCountSketch RBFSampler
        SkewedChi2Sampler""",
    "sklearn.linear_model": """
        BayesianRidge ElasticNet Lasso LinearRegression LogisticRegression
        LogisticRegressionCV Ridge RidgeCV RidgeClassifier RidgeClassifierCV""",
    "sklearn.model_selection": """
        FixedThresholdClassifier GridSearchCV GroupKFold GroupShuffleSplit
        HalvingGridSearchCV HalvingRandomSearchCV KFold LeaveOneGroupOut LeaveOneOut
        LeavePGroupsOut LeavePOut PredefinedSplit RandomizedSearchCV RepeatedKFold
        RepeatedStratifiedKFold ShuffleSplit StratifiedGroupKFold StratifiedKFold
        StratifiedShuffleSplit TimeSeriesSplit TunedThresholdClassifierCV""",
    "sklearn.multiclass": """
        OneVsOneClassifier OneVsRestClassifier OutputCodeClassifier""",
    "sklearn.multioutput": "ClassifierChain MultiOutputClassifier",
    "sklearn.naive_bayes": "BernoulliNB CategoricalNB ComplementNB GaussianNB "
    "MultinomialNB",
    "sklearn.neighbors": "NeighborhoodComponentsAnalysis",
    "sklearn.neural_network": "BernoulliRBM MLPClassifier",
    "sklearn.pipeline": "FeatureUnion Pipeline",
    "sklearn.preprocessing": """
        Binarizer FunctionTransformer KBinsDiscretizer KernelCenterer LabelBinarizer
        LabelEncoder MaxAbsScaler MinMaxScaler MultiLabelBinarizer Normalizer
        OneHotEncoder OrdinalEncoder PolynomialFeatures PowerTransformer
        QuantileTransformer RobustScaler StandardScaler TargetEncoder""",
    "sklearn.random_projection": "GaussianRandomProjection",
    "skdnn.classifier": "DNNClassifier",
    "skdnn.model_selection": "GridSearchCV RandomizedSearchCV",
}
# Parts of fitted estimators, by their full names.
_PARTS = {
    "skdnn._estimator.calibration.Reliability",
    "skdnn._estimator.conformal.ConformityScores",
    "skdnn._estimator.summary.FinalLoss",
    "skdnn._estimator.summary.TrainingSummary",
    "skdnn._network.spec.Hidden",
    "skdnn._network.spec.InputEncoding",
    "skdnn._network.spec.NetworkSpec",
    "skdnn._tabular.columns.Columns",
    "skdnn._tabular.encoder.CategoricalColumn",
    "skdnn._tabular.encoder.Scale",
    "skdnn._tabular.encoder.TableEncoder",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.metrics._scorer._CurveScorer",
    "sklearn.metrics._scorer._MultimetricScorer",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.model_selection._split._CVIterableWrapper",
    "sklearn.multiclass._ConstantPredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.utils._metadata_requests.MetadataRequest",
    "sklearn.utils._metadata_requests.MethodMetadataRequest",
}
_SCORE_FUNCTIONS = {
    "sklearn.feature_selection.chi2",
    "sklearn.feature_selection.f_classif",
    "sklearn.feature_selection.f_regression",
    "sklearn.feature_selection.mutual_info_classif",
    "sklearn.feature_selection.mutual_info_regression",
    "sklearn.feature_selection.r_regression",
}
_BUILTINS = {"bool", "dict", "float", "int", "list", "object", "set", "str", "tuple"}
# The loaders of skops for data of one or a few types.
_DATA = {
    "BytesNode": {"builtins.bytes"},
    "ConstructorFromReduceNode": {"decimal.Decimal", "fractions.Fraction"},
    "DTypeNode": {"numpy.dtype"},
    "DictNode": {
        "builtins.dict",
        "collections.OrderedDict",
        "sklearn.utils._bunch.Bunch",
    },
    "JsonNode": {"builtins.str"},
    "ListNode": {"builtins.list"},
    "MaskedArrayNode": {"numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray"},
    "RandomStateNode": {"numpy.random.mtrand.RandomState"},
    "SetNode": {"builtins.set"},
    "SliceNode": {"builtins.slice"},
    "TupleNode": {"builtins.tuple", "sklearn.impute._iterative._ImputerTriplet"},
}


def is_trusted(loader: str, name: str) -> bool:
    """Return whether an entry of this kind may be of the type or function of a name.

    `loader` is the name of the skops class that reads such entries.
    """
    if loader in _DATA:
        return name in _DATA[loader]
    if loader == "ObjectNode":
        return name in _PARTS or _public_name(name) in _public_names()
    if loader == "NdArrayNode":
        return name == "numpy.ndarray" or _is_numpy(name, np.generic)
    if loader == "TypeNode":
        module, _, builtin = name.rpartition(".")
        is_builtin = module == "builtins" and builtin in _BUILTINS
        return is_builtin or _is_numpy(name, np.generic)
    return loader == "FunctionNode" and _is_trusted_function(name)


@lru_cache(maxsize=1)
def _public_names() -> frozenset[str]:
    return frozenset(
        f"{module}.{name}"
        for module, names in _PUBLIC.items()
        for name in names.split()
    )


def _public_name(name: str) -> str:
    """Return a full name without the private modules in it."""
    *modules, last = name.split(".")
    return ".".join([*(m for m in modules if not m.startswith("_")), last])


def _is_numpy(name: str, kind: type) -> bool:
    """Return whether a name is that of a public scalar type of NumPy."""
    module, _, own = name.rpartition(".")
    known = getattr(np, own, None)
    return module == "numpy" and isinstance(known, type) and issubclass(known, kind)


def _is_trusted_function(name: str) -> bool:
    """Return whether a name is that of a metric, a score function or a ufunc."""
    public = _public_name(name)
    module, _, own = public.rpartition(".")
    if module == "sklearn.metrics":
        import sklearn.metrics

        return own in sklearn.metrics.__all__
    if module == "scipy.special":
        import scipy.special

        return isinstance(getattr(scipy.special, own, None), np.ufunc)
    is_ufunc = isinstance(getattr(np, own, None), np.ufunc)
    return public in _SCORE_FUNCTIONS or (module == "numpy" and is_ufunc)
