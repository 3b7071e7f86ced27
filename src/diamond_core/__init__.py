"""Price diamonds: the domain, its ports and its use cases. numpy and the standard library only."""

from diamond_core.errors import (
    Conflict,
    DiamondError,
    ExchangeNotFound,
    FamilyFailed,
    FieldProblem,
    InvalidDiamond,
    InvalidFilter,
    InvalidModelId,
    InvalidSetting,
    InvalidTable,
    InvalidUrl,
    ModelDamaged,
    ModelExists,
    ModelFileNotFound,
    ModelNotFound,
    NoChampion,
    NothingToRollBack,
    Refused,
    SourceUnreadable,
    TooFewStones,
    Unavailable,
    UnknownFamily,
)
from diamond_core.models.champion_periods import ChampionPeriod, champion_periods
from diamond_core.models.error_slices import ErrorSlice, error_slices
from diamond_core.models.evaluation import Comparison, Evaluation, Metrics, compare, metrics_of
from diamond_core.models.model_card import DataSummary, ModelCard, ModelId
from diamond_core.models.price_ranges import PriceRanges
from diamond_core.models.promotion import Promotion
from diamond_core.ports import (
    BATCH_ROWS,
    ESTIMATOR_FILE,
    ONNX_FILE,
    REPORT_FILE,
    Background,
    Clock,
    ExclusiveWork,
    FittedModel,
    Model,
    ModelFamily,
    ModelLoader,
    ModelRepository,
    Progress,
    ReportInput,
    ReportWriter,
    RequestLog,
    StoneSource,
    no_progress,
)
from diamond_core.requests.exchange import Exchange, new_exchange_id
from diamond_core.requests.exchange_filter import ExchangeFilter
from diamond_core.requests.health import RequestLogHealth
from diamond_core.stones.cleaning import CleanStones, RawStones, RejectedRow, clean
from diamond_core.stones.diamond import Diamond, Stones
from diamond_core.stones.diamond_table import DiamondTable
from diamond_core.stones.fields import FIELDS, Clarity, Color, Cut
from diamond_core.stones.holdout import folds, in_holdout
from diamond_core.stones.similarity import Similar, SimilarStones, sorted_samples
from diamond_core.use_cases.choose_champion import ChooseChampion
from diamond_core.use_cases.compare_models import ComparedModels, CompareModels
from diamond_core.use_cases.find_exchanges import find_exchanges
from diamond_core.use_cases.find_similar import FindSimilar
from diamond_core.use_cases.follow_champion import ChampionFollower
from diamond_core.use_cases.model_history import LoadedModel, ModelHistory
from diamond_core.use_cases.price_diamonds import Prediction, Predictions, PriceDiamonds
from diamond_core.use_cases.train_models import TrainingConfig, TrainingRun, TrainModels
from diamond_core.version import __version__

__all__ = [
    "BATCH_ROWS",
    "ESTIMATOR_FILE",
    "FIELDS",
    "ONNX_FILE",
    "REPORT_FILE",
    "Background",
    "ChampionFollower",
    "ChampionPeriod",
    "ChooseChampion",
    "Clarity",
    "CleanStones",
    "Clock",
    "Color",
    "CompareModels",
    "ComparedModels",
    "Comparison",
    "Conflict",
    "Cut",
    "DataSummary",
    "Diamond",
    "DiamondError",
    "DiamondTable",
    "ErrorSlice",
    "Evaluation",
    "Exchange",
    "ExchangeFilter",
    "ExchangeNotFound",
    "ExclusiveWork",
    "FamilyFailed",
    "FieldProblem",
    "FindSimilar",
    "FittedModel",
    "InvalidDiamond",
    "InvalidFilter",
    "InvalidModelId",
    "InvalidSetting",
    "InvalidTable",
    "InvalidUrl",
    "LoadedModel",
    "Metrics",
    "Model",
    "ModelCard",
    "ModelDamaged",
    "ModelExists",
    "ModelFamily",
    "ModelFileNotFound",
    "ModelHistory",
    "ModelId",
    "ModelLoader",
    "ModelNotFound",
    "ModelRepository",
    "NoChampion",
    "NothingToRollBack",
    "Prediction",
    "Predictions",
    "PriceDiamonds",
    "PriceRanges",
    "Progress",
    "Promotion",
    "RawStones",
    "Refused",
    "RejectedRow",
    "ReportInput",
    "ReportWriter",
    "RequestLog",
    "RequestLogHealth",
    "Similar",
    "SimilarStones",
    "SourceUnreadable",
    "StoneSource",
    "Stones",
    "TooFewStones",
    "TrainModels",
    "TrainingConfig",
    "TrainingRun",
    "Unavailable",
    "UnknownFamily",
    "__version__",
    "champion_periods",
    "clean",
    "compare",
    "error_slices",
    "find_exchanges",
    "folds",
    "in_holdout",
    "metrics_of",
    "new_exchange_id",
    "no_progress",
    "sorted_samples",
]
