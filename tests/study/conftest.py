import pytest

from lggkit.record import Record, Spec


@pytest.fixture
def make_record():
    """A factory of records: everything but what a test is about has a default."""

    def make(arm="gkd", seed=0, scale="reduced", experiment="lgg/s41_distillation", arrays=None, **fields):
        metrics = fields.pop("metrics", {"test_error": 10.0})
        spec = Spec(experiment, arm, scale, seed)
        return Record(
            key=spec.key,
            experiment=experiment,
            arm=arm,
            scale=scale,
            seed=seed,
            settings=spec.settings,
            metrics=metrics,
            arrays=arrays or {},
            **fields,
        )

    return make
