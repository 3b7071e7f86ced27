"""Price diamonds: the domain, its ports and its use cases. numpy and the standard library only."""

from diamond_core.codec import decode, encode, escaped, to_plain
from diamond_core.errors import (
    Conflict,
    DeliveryNotFound,
    DiamondError,
    ExchangeNotFound,
    FamilyFailed,
    FieldProblem,
    ImplausibleOutcome,
    InvalidDiamond,
    InvalidFilter,
    InvalidModelId,
    InvalidOutcome,
    InvalidSetting,
    InvalidTable,
    InvalidUrl,
    ModelDamaged,
    ModelExists,
    ModelFileNotFound,
    ModelNotFound,
    NoChampion,
    NothingToRollBack,
    NotRecomputable,
    NotReproducible,
    NotTheCaller,
    PredictionNotFound,
    Refused,
    SourceUnreadable,
    StoneVersionNotFound,
    TooFewStones,
    Unavailable,
    UnknownFamily,
)
from diamond_core.models.champion_periods import ChampionPeriod, champion_periods
from diamond_core.models.comparables import Comparables
from diamond_core.models.error_slices import PRICE_BAND, ErrorSlice, error_slices
from diamond_core.models.evaluation import Comparison, Evaluation, Metrics, compare, metrics_of
from diamond_core.models.explanation import Contribution, Explanation
from diamond_core.models.inversions import Inversions, four_c_inversions, measured_inversions
from diamond_core.models.ladder import CurvePoint, GradeSteps, Ladder, Step, WeightStep
from diamond_core.models.model_card import DataSummary, ModelCard, ModelId
from diamond_core.models.pipeline_run import PipelineRun
from diamond_core.models.price_ranges import PriceRanges
from diamond_core.models.profile import Profile
from diamond_core.models.promotion import Promotion
from diamond_core.models.support import Support
from diamond_core.monitoring.changes import ChangedErrors, Changes
from diamond_core.monitoring.counted_stones import CountedStones
from diamond_core.monitoring.drift import Drift, DriftLimits, FieldDrift
from diamond_core.monitoring.live_error import LiveError, LiveErrors, LiveWeek
from diamond_core.monitoring.monitoring import Monitoring, RequestDay
from diamond_core.monitoring.outcome import Outcome, OutcomeReport, current
from diamond_core.monitoring.priced_stones import PricedStones, ReadPriced, priced
from diamond_core.monitoring.replay import ChangedGroup, ChangedPrice, ChangedRanges, Replay
from diamond_core.monitoring.shadow import ShadowComparison, ShadowPrice
from diamond_core.ports import (
    BATCH_ROWS,
    ESTIMATOR_FILE,
    ONNX_FILE,
    REPORT_FILE,
    Background,
    Clock,
    DivisibleSource,
    ExclusiveWork,
    FittedModel,
    Model,
    ModelFamily,
    ModelLoader,
    ModelRepository,
    MonitoringStore,
    Notify,
    OutcomeLog,
    PipelineRuns,
    Progress,
    ReportInput,
    ReportWriter,
    RequestLog,
    ShadowLog,
    StoneSource,
    StoneStore,
    StoneVersion,
    no_progress,
    notify_nobody,
)
from diamond_core.requests.exchange import Exchange, Truncation, first_id, new_exchange_id
from diamond_core.requests.exchange_filter import ExchangeFilter
from diamond_core.requests.health import RequestLogHealth
from diamond_core.stones.cleaning import (
    COLUMNS,
    READ_COLUMNS,
    CleanStones,
    RawStones,
    RejectedRow,
    clean,
    missing_columns,
)
from diamond_core.stones.delivery import DeliveredRows, Delivery
from diamond_core.stones.diamond import Diamond, Stones
from diamond_core.stones.diamond_table import DiamondTable, Floats
from diamond_core.stones.fields import (
    FIELDS,
    GRADES,
    NUMBERS,
    OPTIONAL,
    PRICE,
    REQUIRED,
    Clarity,
    Color,
    Cut,
    GradeField,
    NumberField,
)
from diamond_core.stones.gate import GateLimits
from diamond_core.stones.holdout import folds, in_holdout
from diamond_core.stones.similarity import Similar, SimilarStones, sorted_samples
from diamond_core.stones.stone_records import StoneRecords
from diamond_core.stones.trade_weights import TRADE_WEIGHTS
from diamond_core.use_cases.add_stones import AddedStones, AddStones, find_delivery
from diamond_core.use_cases.choose_champion import ChooseChampion
from diamond_core.use_cases.compare_models import ComparedModels, CompareModels, ScoredModel
from diamond_core.use_cases.copy_models import CopiedModels, CopyModels
from diamond_core.use_cases.explain_price import ExplainPrice
from diamond_core.use_cases.find_exchanges import find_exchanges
from diamond_core.use_cases.find_similar import FindSimilar
from diamond_core.use_cases.follow_champion import ChampionFollower
from diamond_core.use_cases.model_history import CARD_FILE, LoadedModel, ModelHistory
from diamond_core.use_cases.price_diamonds import Prediction, Predictions, PriceDiamonds
from diamond_core.use_cases.price_ladder import PriceLadder
from diamond_core.use_cases.prune_models import PrunedModels, PruneModels
from diamond_core.use_cases.prune_requests import prune_requests
from diamond_core.use_cases.read_requests import read_requests
from diamond_core.use_cases.read_stones import read_stones
from diamond_core.use_cases.recompute_exchange import (
    RecomputedExchange,
    RecomputedPrice,
    RecomputeExchange,
)
from diamond_core.use_cases.replay_requests import ReplayRequests
from diamond_core.use_cases.report_outcomes import Reported, ReportOutcomes
from diamond_core.use_cases.reproduce_model import ReproduceModel, Reproduction
from diamond_core.use_cases.run_pipeline import RunPipeline
from diamond_core.use_cases.shadow_prices import ShadowPrices
from diamond_core.use_cases.train_models import TrainingConfig, TrainingRun, TrainModels
from diamond_core.use_cases.training_stones import (
    CleanBatch,
    CleanSources,
    TrainingStones,
    clean_here,
)
from diamond_core.use_cases.watch_prices import WatchPrices, load_monitoring
from diamond_core.version import __version__

__all__ = [  # noqa: RUF022  # grouped by who needs them, not sorted
    # Stones: one, many, their grades, and similar ones
    "Diamond",
    "DiamondTable",
    "Stones",
    "Cut",
    "Color",
    "Clarity",
    "Similar",
    "SimilarStones",
    "in_holdout",
    "sorted_samples",
    # The store of stones: deliveries, versions
    "StoneRecords",
    "StoneVersion",
    "Delivery",
    "DeliveredRows",
    "GateLimits",
    # Models: their cards, errors, price ranges and promotions
    "ModelCard",
    "Inversions",
    "four_c_inversions",
    "measured_inversions",
    "ModelId",
    "DataSummary",
    "Metrics",
    "Evaluation",
    "Comparison",
    "ErrorSlice",
    "PriceRanges",
    "Profile",
    "Promotion",
    "ChampionPeriod",
    "LoadedModel",
    "compare",
    "metrics_of",
    "error_slices",
    "champion_periods",
    # Use cases, with their arguments and results
    "PriceDiamonds",
    "ExplainPrice",
    "Explanation",
    "Contribution",
    "PriceLadder",
    "Ladder",
    "Step",
    "WeightStep",
    "GradeSteps",
    "CurvePoint",
    "Comparables",
    "Prediction",
    "Predictions",
    "FindSimilar",
    "AddStones",
    "AddedStones",
    "find_delivery",
    "ReproduceModel",
    "Reproduction",
    "ReportOutcomes",
    "Reported",
    "RunPipeline",
    "PipelineRun",
    "TrainModels",
    "TrainingConfig",
    "TrainingRun",
    "TrainingStones",
    "ChooseChampion",
    "CopiedModels",
    "CopyModels",
    "CompareModels",
    "ComparedModels",
    "ScoredModel",
    "ChampionFollower",
    "PruneModels",
    "PrunedModels",
    "ModelHistory",
    "find_exchanges",
    "read_requests",
    "prune_requests",
    "read_stones",
    "clean_here",
    "CleanBatch",
    "CleanSources",
    "WatchPrices",
    "load_monitoring",
    # Requests: the request log's contents
    "Exchange",
    "Truncation",
    "ExchangeFilter",
    "RequestLogHealth",
    "new_exchange_id",
    "first_id",
    # Monitoring: what the record says about the prices
    "PricedStones",
    "ReadPriced",
    "priced",
    "Outcome",
    "OutcomeReport",
    "current",
    "LiveError",
    "LiveErrors",
    "LiveWeek",
    "Drift",
    "DriftLimits",
    "FieldDrift",
    "CountedStones",
    "Monitoring",
    "RequestDay",
    "ReplayRequests",
    "Replay",
    "ChangedPrice",
    "ChangedGroup",
    "ChangedRanges",
    "Changes",
    "ChangedErrors",
    "ShadowPrices",
    "ShadowPrice",
    "ShadowComparison",
    "RecomputeExchange",
    "RecomputedExchange",
    "RecomputedPrice",
    # Ports: the promises of an adapter
    "Model",
    "ModelFamily",
    "ModelLoader",
    "ModelRepository",
    "StoneSource",
    "DivisibleSource",
    "StoneStore",
    "Support",
    "PipelineRuns",
    "MonitoringStore",
    "Notify",
    "RequestLog",
    "OutcomeLog",
    "ShadowLog",
    "Background",
    "ExclusiveWork",
    "ReportWriter",
    "Clock",
    "Progress",
    # For authors of model families
    "FittedModel",
    "CARD_FILE",
    "ONNX_FILE",
    "ESTIMATOR_FILE",
    "Floats",
    "TRADE_WEIGHTS",
    "folds",
    "no_progress",
    "notify_nobody",
    # For authors of other adapters: sources of stones, reports, request logs
    "BATCH_ROWS",
    "COLUMNS",
    "READ_COLUMNS",
    "RawStones",
    "CleanStones",
    "RejectedRow",
    "clean",
    "missing_columns",
    "FIELDS",
    "GRADES",
    "NUMBERS",
    "PRICE",
    "REQUIRED",
    "OPTIONAL",
    "GradeField",
    "NumberField",
    "ReportInput",
    "REPORT_FILE",
    "PRICE_BAND",
    "escaped",
    "encode",
    "decode",
    # Errors: all are a DiamondError
    "DiamondError",
    "FieldProblem",
    "InvalidDiamond",
    "InvalidTable",
    "InvalidModelId",
    "InvalidSetting",
    "InvalidUrl",
    "InvalidFilter",
    "SourceUnreadable",
    "TooFewStones",
    "UnknownFamily",
    "FamilyFailed",
    "ModelNotFound",
    "ModelFileNotFound",
    "NoChampion",
    "ExchangeNotFound",
    "InvalidOutcome",
    "ImplausibleOutcome",
    "PredictionNotFound",
    "NotTheCaller",
    "DeliveryNotFound",
    "StoneVersionNotFound",
    "ModelExists",
    "ModelDamaged",
    "NotReproducible",
    "NotRecomputable",
    "NothingToRollBack",
    "Conflict",
    "Unavailable",
    "Refused",
    # Any of these as JSON values, and the version of this library
    "to_plain",
    "__version__",
]
