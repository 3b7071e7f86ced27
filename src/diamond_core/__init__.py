"""Price diamonds: the domain, its ports and its use cases. numpy and the standard library only."""

from diamond_core.cleaning import CleanStones, RawStones, RejectedRow, clean
from diamond_core.diamond import FIELDS, Clarity, Color, Cut, Diamond
from diamond_core.diamond_table import DiamondTable
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
    ModelDamaged,
    ModelExists,
    ModelNotFound,
    NoChampion,
    NothingToRollBack,
    Refused,
    SourceUnreadable,
    TooFewStones,
    Unavailable,
    UnknownFamily,
)
from diamond_core.evaluation import Comparison, Metrics, compare, evaluate
from diamond_core.exchange import Exchange, ExchangeFilter
from diamond_core.model_card import DataSummary, ModelCard, ModelId, Promotion
from diamond_core.ports import (
    Clock,
    DiamondSource,
    FittedModel,
    Model,
    ModelFamily,
    ModelRepository,
    Progress,
    ReportWriter,
    RequestArchive,
    RequestLog,
    Training,
)
from diamond_core.price_range import PriceRanges
from diamond_core.reigns import Reign, reigns
from diamond_core.similarity import Similar, SimilarStones, sorted_samples
from diamond_core.splitting import in_holdout
from diamond_core.traffic import Traffic
from diamond_core.use_cases.choose_champion import ChooseChampion
from diamond_core.use_cases.compare_models import ComparedModels, CompareModels
from diamond_core.use_cases.find_similar import FindSimilar
from diamond_core.use_cases.price_diamonds import PriceDiamonds, Valuation, Valuations
from diamond_core.use_cases.serve_champion import Champion, ServedModel
from diamond_core.use_cases.train_models import TrainingOrder, TrainingRun, TrainModels
from diamond_core.version import __version__

__all__ = [
    "FIELDS",
    "Champion",
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
    "DiamondSource",
    "DiamondTable",
    "Exchange",
    "ExchangeFilter",
    "ExchangeNotFound",
    "FamilyFailed",
    "FieldProblem",
    "FindSimilar",
    "FittedModel",
    "InvalidDiamond",
    "InvalidFilter",
    "InvalidModelId",
    "InvalidSetting",
    "InvalidTable",
    "Metrics",
    "Model",
    "ModelCard",
    "ModelDamaged",
    "ModelExists",
    "ModelFamily",
    "ModelId",
    "ModelNotFound",
    "ModelRepository",
    "NoChampion",
    "NothingToRollBack",
    "PriceDiamonds",
    "PriceRanges",
    "Progress",
    "Promotion",
    "RawStones",
    "Refused",
    "Reign",
    "RejectedRow",
    "ReportWriter",
    "RequestArchive",
    "RequestLog",
    "ServedModel",
    "Similar",
    "SimilarStones",
    "SourceUnreadable",
    "TooFewStones",
    "Traffic",
    "TrainModels",
    "Training",
    "TrainingOrder",
    "TrainingRun",
    "Unavailable",
    "UnknownFamily",
    "Valuation",
    "Valuations",
    "__version__",
    "clean",
    "compare",
    "evaluate",
    "in_holdout",
    "reigns",
    "sorted_samples",
]
