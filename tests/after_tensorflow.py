"""Run programs that have imported TensorFlow before they use charrnn, each in a fork, so that it is imported once.

A line of standard input is a program and its arguments as JSON. The line that is printed for it has its exit status,
what it printed, and its errors.
"""

import json
import os
import sys
import tempfile
import traceback


def run(program, arguments, out, err):
    """Run a program in a fork with files as its standard output and error; return its status."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return status
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    sys.argv = ["-c", *arguments]
    status = 0
    try:
        exec(program, {"__name__": "__main__"})
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def content(file):
    file.seek(0)
    return file.read().decode()


def main():
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ.pop("TF_USE_LEGACY_KERAS", None)
    import tensorflow  # noqa: F401 (the programs find it imported)

    for line in sys.stdin:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            status = run(*json.loads(line), out, err)
            print(json.dumps([status, content(out), content(err)]), flush=True)


if __name__ == "__main__":
    main()
