"""Private and version-dependent names of scikit-learn that skparietal uses, in one place."""

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn < 1.9 has no public callbacks

    class _NoCallbacks:
        """Context of a fit that nobody listens to."""

        def subcontext(self, **kwargs):
            return self

        def call_on_fit_task_begin(self, **kwargs):
            return self

        def call_on_fit_task_end(self, **kwargs):
            return False

    class CallbackSupportMixin:
        """Stand-in without `set_callbacks`."""

        def _init_callback_context(self, **kwargs):
            return _NoCallbacks()

    def with_callbacks(method):
        """Return the method itself."""
        return method


__all__ = ["CallbackSupportMixin", "with_callbacks"]
