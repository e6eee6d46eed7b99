"""Discrete rows -> 64-bit keys: the one hash of tokens, the same on every machine and run."""

from hashlib import blake2b

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MISSING = np.uint64(0xD1B54A32D192ED03)
_BIG_INTEGER = np.uint64(0x8CB92BA72F3D8DD7)
# Integers up to here are float64 numbers, so that 3, 3.0 and True == 1 are one token each.
_LARGEST_EXACT = 2**53


def token_keys(X):
    """One 64-bit key for each row of a discrete table: equal rows, equal keys.

    Keys depend on the values alone, not on the process, the machine, the other rows or the type
    that holds a number: ``3``, ``3.0`` and ``np.int8(3)`` are one token, ``0.0`` and ``-0.0`` too,
    while ``"3"`` is another. None, NaN and NaT are one ordinary token, "missing". A float32 number
    is what it is in float64: ``np.float32(0.1)`` is not ``0.1``.

    Two different rows share a key with probability 2^-64; among n distinct rows some two do with
    probability about n^2 / 2^65 (3e-6 for ten million rows). The hash is no secret: whoever chooses
    the rows can make them collide.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Numbers, strings, or a mixture in an object array.

    Returns
    -------
    keys : ndarray of shape (n_samples,) of uint64
        One key per row; the order of the columns matters.

    Raises
    ------
    ValueError
        If X is not a table with at least one column.

    Examples
    --------
    >>> from skparietal.tokens import token_keys
    >>> keys = token_keys([["Paris", 1], ["Rome", 2], ["Paris", 1]])
    >>> keys[0] == keys[2], keys[0] == keys[1]
    (np.True_, np.False_)
    """
    columns = column_keys(X)
    keys = columns[:, 0].copy()
    for column in columns.T[1:]:
        keys = mix_bits(keys * _GOLDEN + column)
    return keys


def column_keys(X):
    """One 64-bit key for each (column, value) of a discrete table.

    The same value in two columns has two keys. See `token_keys` for what counts as equal.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Numbers, strings, or a mixture in an object array.

    Returns
    -------
    keys : ndarray of shape (n_samples, n_features) of uint64
        One key per cell.

    Raises
    ------
    ValueError
        If X is not a table with at least one column.
    """
    X = _as_table(X)
    keys = np.empty(X.shape, dtype=np.uint64, order="F")
    for j, column in enumerate(X.T):
        keys[:, j] = mix_bits(_token_bits(column) + _salt(j))
    return keys


def mix_bits(bits):
    """Finaliser of splitmix64: every bit of the input changes every bit of the output.

    Parameters
    ----------
    bits : ndarray of uint64
        Any shape.

    Returns
    -------
    mixed : ndarray of uint64
        A bijection of the input, which is left as it is.

    References
    ----------
    Steele, Lea, Flood, Fast splittable pseudorandom number generators, 2014.
    """
    bits = bits ^ (bits >> np.uint64(30))
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits


def _as_table(X):
    if not hasattr(X, "dtype") and not hasattr(X, "columns"):
        # A list such as [["a", 1]] would become text throughout.
        X = np.array(X, dtype=object)
    X = np.asarray(X)
    if X.ndim != 2 or X.shape[1] == 0:
        raise ValueError(
            f"X must be a table of shape (n_samples, n_features >= 1), got shape {X.shape}. "
            "Reshape a single column with X.reshape(-1, 1)."
        )
    return X


def _salt(column):
    return np.uint64((column + 1) * int(_GOLDEN) % 2**64)


def _token_bits(column):
    """64 bits of each value of one column, before the salt of the column."""
    if column.dtype.kind in "biuf":
        return _number_bits(column)
    # A dict finds the distinct values three times as fast as sorting text; 1 == 1.0 is one entry.
    index = {}
    try:
        inverse = [index.setdefault(value, len(index)) for value in column.tolist()]
    except TypeError as error:
        raise TypeError(f"A token argument must be a string or a number: {error}.") from error
    return _object_bits(list(index))[inverse]


def _number_bits(values):
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        bits = values.astype(np.float64).view(np.uint64)
        big = (values > _LARGEST_EXACT) | (values < -_LARGEST_EXACT)
        bits[big] = _big_integer_bits(values[big])
        return bits
    floats = values.astype(np.float64) + 0.0  # -0.0 becomes 0.0
    bits = floats.view(np.uint64)
    bits[np.isnan(floats)] = _MISSING
    big = (np.abs(floats) > _LARGEST_EXACT) & (np.abs(floats) < 2.0**63)
    bits[big] = _big_integer_bits(floats[big].astype(np.int64))
    return bits


def _big_integer_bits(values):
    """Bits of integers that float64 would round; whole floats of that size get the same."""
    return mix_bits(values.astype(np.uint64) + _BIG_INTEGER)


def _object_bits(values):
    """Bits of a list of distinct Python objects: numbers as numbers, all else by its text."""
    bits = np.empty(len(values), dtype=np.uint64)
    for i, value in enumerate(values):
        if is_missing(value):
            bits[i] = _MISSING
        elif isinstance(value, (bool, int, float, np.bool_, np.number)) and abs(value) < 2**63:
            bits[i] = _number_bits(np.asarray([value]))[0]
        else:
            text = (
                value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
            )
            bits[i] = int.from_bytes(blake2b(text, digest_size=8).digest(), "little")
    return bits


def is_missing(value):
    """Whether a value is None, NaN, NaT or pandas.NA.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    missing : bool
        These are one token, "missing".
    """
    # NaN and NaT differ from themselves; the comparison of pandas.NA is NA, not a boolean.
    same = value == value
    return value is None or not (isinstance(same, (bool, np.bool_)) and same)


def hashed_embeddings(keys, n_components, *, seed, dtype=np.float32):
    """Random unit vectors of keys, computed from the keys and stored nowhere.

    Parameters
    ----------
    keys : ndarray of shape (n_keys,) of uint64
        See `token_keys`.
    n_components : int
        Dimension d.
    seed : int
        Seed of the embedding, in 0..2^64 - 1: equal key and seed, equal vector, on every machine.
    dtype : numpy dtype, default=numpy.float32
        Floating type of the result.

    Returns
    -------
    embeddings : ndarray of shape (n_keys, n_components)
        Random signs times fixed magnitudes within 2.5 % of 1/sqrt(d): every row has norm 1, and two
        rows have an inner product of mean 0 and variance 1.001/d. Equal magnitudes would put inner
        products on a lattice, and sums of them would tie.
    """
    start = mix_bits(keys ^ mix_bits(np.array([seed], dtype=np.uint64) + _GOLDEN))
    n_words = -(-n_components // 64)
    steps = np.arange(1, n_words + 1, dtype=np.uint64) * _GOLDEN
    octets = mix_bits(start[:, None] + steps).astype("<u8", copy=False).view(np.uint8)
    squares = 1.0 + 0.1 * (np.arange(64 * n_words) * 0.6180339887498949 % 1.0)
    magnitudes = np.sqrt(squares / squares[:n_components].sum())
    signs = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) * 2.0 - 1.0
    # A table of the floats of each octet writes eight entries at a time.
    table = (signs * magnitudes.reshape(-1, 1, 8)).astype(dtype)
    return table[np.arange(8 * n_words), octets].reshape(len(keys), -1)[:, :n_components]
