"""Rankings that share exposure."""

from skparietal.estimators.ranking.fair_ranking_fw import FairRankingFW
from skparietal.estimators.ranking.fair_ranking_path import fair_ranking_path

__all__ = ["FairRankingFW", "fair_ranking_path"]
