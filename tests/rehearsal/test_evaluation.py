"""Evaluation on a GPU that is not there: what waits, and what goes on purpose to the CPU."""

from __future__ import annotations

import pytest
import torch

from lggkit import evaluation
from lggkit.evaluation.benchmark import CorruptionBenchmark
from lggkit.evaluation.deformation_suite import DeformationSuite
from lggkit.evaluation.robustness import RobustnessSuite

NOISY = ("deepfool", "gaussian_noise", "noise_at", "strong", "strong_images")
WAITS = {name: ("read", "send") if name in NOISY else ("read",) for name in evaluation.__all__}
WAITS |= dict.fromkeys(("predict", "with_dropout"), ())


def used(context, images):
    with context as model, torch.no_grad():
        return model(images)


EVALUATION = {
    "agreement": lambda s: evaluation.agreement(s.logits, s.labels),
    "consistency": lambda s: evaluation.consistency(s.logits, s.logits, s.labels),
    "corruption_errors": lambda s: evaluation.corruption_errors(
        s.model, s.set, severities=[3], names=["fog"]
    ),
    "deepfool": lambda s: evaluation.deepfool(s.model, s.images, s.labels, steps=2),
    "distance_expansion": lambda s: evaluation.distance_expansion([*s.maps.values()], s.labels),
    "error_rate": lambda s: evaluation.error_rate(s.logits, s.labels),
    "fgsm": lambda s: [evaluation.fgsm(s.model, s.images, s.labels, bounds=b) for b in ((0, 1), None)],
    "fgsm_direction": lambda s: evaluation.fgsm_direction(s.model, s.images, s.labels),
    "fourier_spectrum": lambda s: [evaluation.fourier_spectrum(s.x, k) for k in ("magnitude", "phase")],
    "gaussian_noise": lambda s: evaluation.gaussian_noise(s.images, 0.1, torch.Generator()),
    "input_margins": lambda s: evaluation.input_margins(s.model, s.images, s.labels),
    "largest_variation_step": lambda s: evaluation.largest_variation_step(s.logits),
    "margins": lambda s: evaluation.margins(s.logits, s.labels),
    "misled": lambda s: evaluation.misled(s.model, s.images, s.labels),
    "model_error": lambda s: evaluation.model_error(s.model, s.set),
    "moved_along": lambda s: evaluation.moved_along(s.images, s.direction, 33.0),
    "noise_at": lambda s: evaluation.noise_at(s.images, 33.0, torch.Generator()),
    "pgd": lambda s: evaluation.pgd(s.model, s.images, s.labels, steps=2, seed=0),
    "predict": lambda s: evaluation.predict(s.model, s.bytes, dtype=torch.bfloat16),
    "quantized": lambda s: used(evaluation.quantized(s.model), s.images),
    "snr_epsilon": lambda s: evaluation.snr_epsilon(s.images, 33.0),
    "strong": lambda s: evaluation.strong(s.model, s.images, s.labels, steps=1, restarts=1),
    "strong_images": lambda s: evaluation.strong_images(s.model, s.images, s.labels, steps=1, restarts=1),
    "vanished_gradients": lambda s: evaluation.vanished_gradients(s.model, s.images, s.labels),
    "with_dropout": lambda s: used(evaluation.with_dropout(s.model, 0.25, ["stage1"]), s.images),
}
HOST = {
    "EmbeddingDetector": lambda s: evaluation.EmbeddingDetector().fit(s.x, s.x),
    "class_elongation": lambda s: evaluation.class_elongation(s.x, s.labels),
    "clusters_per_class": lambda s: evaluation.clusters_per_class(s.x, s.labels),
    "initial_distance_correlation": lambda s: evaluation.initial_distance_correlation(s.x, s.x),
    "knn_error": lambda s: evaluation.knn_error(s.x, s.labels, s.x, s.labels, 1),
    "linear_probe_error": lambda s: evaluation.linear_probe_error(s.x, s.labels, s.x, s.labels),
    "scatter_ratio": lambda s: evaluation.scatter_ratio(s.x, s.labels),
    "silhouette": lambda s: evaluation.silhouette(s.x, s.labels),
    "svc_error": lambda s: evaluation.svc_error(s.x, s.labels, s.x, s.labels),
}
OTHERS = {
    **dict.fromkeys(("Consistency", "LEAST_HARM", "SvcResult", "VanishedGradients"), "no functions"),
    **dict.fromkeys(
        (
            "corruption_error",
            "harmful_corruptions",
            "mean_corrupted_error",
            "mean_corruption_error",
            "pooled_relative_corruption_error",
            "relative_corruption_error",
            "relative_mean_corruption_error",
        ),
        "arithmetic on numbers",
    ),
}


@pytest.mark.parametrize("name", EVALUATION)
def test_evaluation(name, rehearse, says_so):
    rehearse(EVALUATION[name], *WAITS.get(name, ()))
    if "read" in WAITS.get(name, ()):
        says_so("evaluation", name)


def test_evaluation_is_complete(complete):
    complete("evaluation", EVALUATION, {**HOST, **OTHERS})


@pytest.mark.parametrize("name", HOST)
def test_on_the_host(name, rehearse):
    """As far as the array on the CPU, which scikit-learn and scipy are given."""
    with pytest.raises(RuntimeError, match="numpy"):
        rehearse(HOST[name])


def test_suites_of_the_study(stage, normalized):
    """What records hold is measured where the network is; only numbers come to the host."""
    suite = RobustnessSuite(pgd_steps=1, strong_steps=1, restarts=0, deepfool_steps=1, levels=(20.0,))
    with stage("read", "send"):
        model, test = normalized()
        metrics = suite.metrics(model, test, suite.directions(model, test))
        metrics |= DeformationSuite(1, 12).metrics(model, model, test, suite.images(test))
        benchmark = CorruptionBenchmark(corruptions=("fog",), severities=(1,))
        metrics |= benchmark.metrics({"it": lambda images: evaluation.predict(model, images)}, test)["it"]
    numbers = [x for value in metrics.values() for x in (value if isinstance(value, list) else [value])]
    assert {type(x) for x in numbers} <= {int, float}
