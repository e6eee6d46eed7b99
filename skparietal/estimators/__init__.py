"""The estimators, one public class per module."""
