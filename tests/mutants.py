"""Small faults, each with a test that must notice it: ``python tests/mutants.py [PART OF A NAME ...]``.

``make mutants`` tries them all. Each fault is made in a copy of the package, where its test is run: it must fail there,
and pass without the fault.
"""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterable, List, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("charrnn", "tests", "notebooks", ".pytest.ini", "Makefile")


class Mutant(NamedTuple):
    """A fault.

    Attributes:
        file: below ``charrnn``.
        old: what stands there once.
        new: what replaces it.
        test: the test that must fail, below ``tests``.
    """

    file: str
    old: str
    new: str
    test: str

    @property
    def name(self) -> str:
        """The fault in one line."""
        old, new = (" ".join(part.split())[:60] for part in (self.old, self.new))
        return f"{self.file}: {old} -> {new or 'nothing'}"

    def source(self) -> str:
        """Return the source of the file with the fault. Raise ValueError unless the old code occurs once."""
        source = (ROOT / "charrnn" / self.file).read_text(encoding="utf-8")
        if source.count(self.old) != 1:
            raise ValueError(f"{self.name}: the old code occurs {source.count(self.old)} times")
        return source.replace(self.old, self.new)


POWER = "checkpoints/test_power_loss.py::test_whatever_a_loss_of_power_leaves_is_intact"
DAMAGED = "engines/test_exported.py::test_damaged_files"
PASSES = "fused/test_passes.py::test_results_and_gradients_equal_numpys"
MUTANTS = [
    # ---- files and checkpoints
    Mutant("system/files.py", "            os.fsync(file.fileno())\n", "", POWER),
    Mutant("system/files.py", "    flush(Path(path).parent)\n", "", POWER),
    Mutant("checkpoints/saving.py", "        files.flush(path)\n", "        pass\n", POWER),
    Mutant("checkpoints/saving.py", "            files.flush(folder)  # so", "            pass  # so", POWER),
    Mutant("checkpoints/saving.py", "for paths in (written, [record]):", "for paths in ([record], written):", POWER),
    Mutant("checkpoints/saving.py", "                path.unlink()\n        raise OSError(", "                pass\n"
           "        raise OSError(",
           "checkpoints/test_saving.py::test_a_failure_while_moving_leaves_the_folder_unchanged"),
    Mutant("checkpoints/saving.py", "if name != best]", "]",
           "checkpoints/test_saving.py::test_the_best_checkpoint_is_kept"),
    Mutant("checkpoints/saving.py", "names[:-max_to_keep]", "names[:1 - max_to_keep]",
           "checkpoints/test_saving.py::test_old_checkpoints_are_removed_with_all_their_files"),
    Mutant("checkpoints/saving.py", "if (step_of(name) or 0) <= step]", "]",
           "checkpoints/test_saving.py::test_damaged_checkpoints_of_later_steps_are_not_counted"),
    Mutant("checkpoints/saving.py", "        write_run(folder, run)  #", "        pass  #",
           "checkpoints/test_saving.py::test_the_best_checkpoint_is_written_to_the_run_file"),
    Mutant("checkpoints/saving.py", "    if progress.lstm_state.shape != tuple(state_shape):", "    if False:",
           "checkpoints/test_saving.py::test_progress_of_another_shape_is_refused"),
    Mutant("checkpoints/find.py", "path.stat().st_size != size or file_sha256(path) != sha256",
           "path.stat().st_size != size",
           "checkpoints/test_find.py::test_a_damaged_newest_checkpoint_is_skipped"),
    Mutant("checkpoints/find.py", "if run_sha256 != fingerprint(read_run(folder)):", "if False:",
           "checkpoints/test_find.py::test_a_checkpoint_of_another_vocabulary_is_refused"),
    Mutant("checkpoints/find.py", "for prefix in reversed(prefixes):", "for prefix in prefixes:",
           "checkpoints/test_saving.py::test_a_saved_checkpoint_is_intact_and_the_newest"),
    Mutant("checkpoints/find.py", "key=lambda name: step_of(name) or 0)", "key=str)",
           "checkpoints/test_saving.py::test_steps_are_ordered_as_numbers"),
    Mutant("checkpoints/record.py", 'if not (run.best is None or isinstance(run.best, str) and step_of(run.best)):',
           "if False:", "checkpoints/test_record.py::test_an_invalid_record_is_refused"),
    Mutant("checkpoints/weights.py", "    return bool(-LARGEST_WEIGHT <= weights.min(initial=0) and "
           "weights.max(initial=0) <= LARGEST_WEIGHT)", "    return True",
           "engines/test_loading.py::test_weights_that_overflow_are_one_line"),
    # ---- training
    Mutant("training/trainer.py", "if loss < progress.best_loss:", "if loss <= progress.best_loss:",
           "training/test_trainer.py::test_of_equal_validation_losses_the_first_is_the_best"),
    Mutant("training/trainer.py", "itertools.islice(self._windows(), done, None)",
           "itertools.islice(self._windows(), 0, None)",
           "training/test_resume.py::test_a_resumed_run_equals_an_uninterrupted_one"),
    Mutant("training/trainer.py", "if not math.isfinite(loss) or not math.isfinite(norm):",
           "if not math.isfinite(loss):", "training/test_trainer.py::test_gradients_that_are_not_finite_end_the_run"),
    Mutant("training/trainer.py", "step=progress.step + 1, lstm_state=state,", "step=progress.step + 1,",
           "training/test_trainer.py::test_it_does_what_the_loop_of_the_notebook_does"),
    Mutant("training/trainer.py", "lstm_state=self._network.zero_state, epoch_losses=NO_LOSSES)",
           "epoch_losses=NO_LOSSES)", "training/test_trainer.py::test_it_does_what_the_loop_of_the_notebook_does"),
    Mutant("training/trainer.py", "self._progress.evals_since_best >= self._hyper.early_stop",
           "self._progress.evals_since_best > self._hyper.early_stop",
           "training/test_trainer.py::test_training_ends_after_evaluations_without_improvement"),
    Mutant("training/trainer.py", "x, y, progress.lstm_state, self._learning_rate(progress.step), progress.step)",
           "x, y, progress.lstm_state, self._learning_rate(progress.step + 1), progress.step)",
           "training/test_trainer.py::test_the_learning_rate_follows_the_schedule"),
    Mutant("training/reports.py", "                file.truncate(end)\n", "",
           "training/test_reports.py::test_a_row_without_room_leaves_no_part_of_it"),
    Mutant("training/reports.py", "int(first) <= step:", "int(first) < step:",
           "training/test_reports.py::test_resuming_drops_later_and_incomplete_rows"),
    Mutant("training/reports.py", 'line.endswith("\\n") and ', "",
           "training/test_reports.py::test_resuming_drops_later_and_incomplete_rows"),
    Mutant("training/hyperparameters.py", "return hyper.learning_rate * (step + 1) / hyper.warmup_steps",
           "return hyper.learning_rate * step / hyper.warmup_steps",
           "training/test_hyperparameters.py::test_schedules"),
    Mutant("training/hyperparameters.py", "    if least > available:", "    if least >= available:",
           "training/test_hyperparameters.py::test_too_little_memory"),
    Mutant("training/stopping.py", "!= signal.SIG_IGN:", "!= signal.SIG_DFL:",
           "training/test_stopping.py::test_sighup_stays_ignored_under_nohup"),
    Mutant("training/stopping.py", "                signal.signal(each, handler)\n", "                pass\n",
           "training/test_stopping.py::test_the_first_signal_is_noted_and_the_second_has_its_usual_effect"),
    # ---- engines
    Mutant("engines/exported.py", "member.compress_type != zipfile.ZIP_STORED or ", "",
           "engines/test_exported.py::test_a_compressed_member_of_the_same_size_is_refused"),
    Mutant("engines/exported.py", " or sum(member.file_size for member in members) > size:", ":",
           "engines/test_exported.py::test_sizes_in_the_directory_are_not_believed"),
    Mutant("engines/exported.py", "if len({member.filename for member in members}) != len(members):", "if False:",
           "engines/test_exported.py::test_a_duplicate_member_with_other_weights_is_an_error"),
    Mutant("engines/exported.py", 'if not np.array_equal(_expect(arrays["sha256"], np.uint8, (32,)), '
           "checksum(others)):", "if False:", "engines/test_exported.py::test_the_checksum_covers_every_array"),
    Mutant("engines/exported.py", "sorted(arrays.items())", "sorted(arrays.items())[1:]",
           "engines/test_exported.py::test_the_checksum_covers_every_array"),
    Mutant("engines/surprisal.py", "min(edges[number + 1], start + end)", "min(edges[number + 1] + 1, start + end)",
           "training/test_distributed.py::test_shares_make_up_the_surprisal_of_a_text"),
    Mutant("engines/surprisal.py", "start + begin:start + end + 1]", "start + begin:start + end]",
           "engines/test_surprisal.py::test_every_character_has_the_surprisal_that_the_cells_give_it"),
    Mutant("engines/surprisal.py", "(WARM_UP if pieces > 1 else 0)", "0",
           "engines/test_surprisal.py::test_rows_differ_little_from_the_exact_result"),
    Mutant("engines/decoding.py", "sums - largest < settings.top_p", "sums - largest <= settings.top_p",
           "engines/test_decoding.py::test_top_p_keeps_no_more_than_reach_it_exactly"),
    Mutant("engines/decoding.py", "return (sums > uniforms", "return (sums >= uniforms",
           "engines/test_decoding.py::test_the_edges_of_a_character"),
    Mutant("engines/sampler.py", "Growing((seed + row) % SEEDS,", "Growing(seed % SEEDS,",
           "engines/test_sampler.py::test_each_row_has_the_text_of_its_own_seed"),
    Mutant("engines/sampler.py", "text[len(text) - len(self._stop) + 1:]", "text[len(text) - len(self._stop) + 2:]",
           "engines/test_sampler.py::test_a_text_in_pieces_ends_where_the_whole_text_does"),
    Mutant("engines/sampler.py", "            self._last = logits, state\n", "",
           "test_interactive.py::test_continue_keeps_the_state"),
    # ---- the fused unroll
    Mutant("fused/passes.py", "tf.raw_ops.SigmoidGrad(y=f, dy=dc * c_before)", "tf.raw_ops.SigmoidGrad(y=f, dy=dc)",
           PASSES),
    Mutant("fused/passes.py", "return t - 1, dc * f, tf.matmul", "return t - 1, dc, tf.matmul", PASSES),
    Mutant("fused/passes.py", "for index in reversed(range(len(layers))):", "for index in range(len(layers)):", PASSES),
    Mutant("fused/passes.py", "values * mask[begin:end]", "values * mask[:end - begin]",
           "fused/test_passes.py::test_dropout_and_its_gradient_equal_numpys_with_the_same_masks"),
    Mutant("fused/unroll.py", "return tf.floor(uniform + keep_prob) / keep_prob",
           "return tf.floor(uniform + keep_prob)", "fused/test_unroll.py::test_masks_keep_the_mean"),
    Mutant("fused/unroll.py", "(tf.get_default_graph().seed or 0) * n_layers + layer",
           "(tf.get_default_graph().seed or 0) * n_layers",
           "fused/test_unroll.py::test_masks_differ_over_steps_rows_units_and_layers"),
    Mutant("fused/unroll.py", "by_gate = [0.0, 0.0, forget_bias, 0.0]", "by_gate = [0.0, forget_bias, 0.0, 0.0]",
           "fused/test_unroll.py::test_forget_bias_is_added_to_the_third_gate"),
]


def copy_project(folder: Path) -> None:
    """Copy what the tests need to a folder."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(str(source), str(folder / name), ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(str(source), str(folder))


def run(folder: Path, tests: Iterable[str]) -> "subprocess.CompletedProcess[str]":
    """Run tests in a copy of the project."""
    return subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header",
         "-m", "not slow", *(f"tests/{test}" for test in tests)],
        cwd=str(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def main(wanted: List[str]) -> int:
    """Try the mutants whose names contain a word, or all. Return 1 if one survives."""
    chosen = [each for each in MUTANTS if not wanted or any(word in each.name for word in wanted)]
    sources = [each.source() for each in chosen]
    survivors = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_project(folder)
        done = run(folder, dict.fromkeys(each.test for each in chosen))
        if done.returncode:
            print(f"without a fault, a test fails:\n{done.stdout}")
            return 1
        for mutant, source in zip(chosen, sources):
            path = folder / "charrnn" / mutant.file
            whole = path.read_bytes()
            path.write_text(source, encoding="utf-8")
            done = run(folder, [mutant.test])
            path.write_bytes(whole)
            caught = done.returncode == 1  # 2 and more are errors of pytest
            survivors += [] if caught else [mutant.name]
            print(f"{'caught' if caught else 'SURVIVED'}  {mutant.name}", flush=True)
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} faults were caught")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
