"""The exercise notebook in a browser: run all gives the stubs' messages and no traceback."""
import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from answers import EXERCISES, FOLDER, generate
from conftest import ROOT

if not pytest.importorskip("notebook").__version__.startswith("6."):
    pytest.skip("the test drives the page of notebook 6", allow_module_level=True)
webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1200,900"]
SECONDS = 600
IDLE = """
const code = Jupyter.notebook.get_cells().filter(cell => cell.cell_type == 'code');
return code.every(cell => Number.isInteger(cell.input_prompt_number));
"""
TEXTS = """
const texts = {};
for (const cell of Jupyter.notebook.get_cells())
    if (cell.cell_type == 'code') texts[cell.id] = cell.output_area.element.text();
return texts;
"""


def tool(*names):
    """Return the path of the first of some programs that is there, or skip the test."""
    found = [path for path in map(shutil.which, names) if path]
    if not found:
        pytest.skip(f"{names[0]} is not installed")
    return found[0]


@contextmanager
def jupyter(folder, fonts):
    """Serve a folder's notebooks to this machine; yield the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = folder / ".home"
    environment = dict(os.environ, JUPYTER_PREFER_ENV_PATH="1", PYTHONPATH=str(ROOT), HOME=str(home),
                       PYTHONDONTWRITEBYTECODE="1", JUPYTER_RUNTIME_DIR=str(home), JUPYTER_CONFIG_DIR=str(home),
                       JUPYTER_DATA_DIR=str(home), IPYTHONDIR=str(home), MPLCONFIGDIR=str(fonts))
    server = subprocess.Popen(
        [sys.executable, "-m", "notebook", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root",
         "--NotebookApp.token=''", "--NotebookApp.password=''", f"--notebook-dir={folder}"],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait(lambda: answers(port), "the server does not answer")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def answers(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    try:
        connection.request("GET", "/api")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait(condition, message):
    end = time.time() + SECONDS
    while time.time() < end:
        if condition():
            return
        time.sleep(0.5)
    pytest.fail(message)


@contextmanager
def browser(folder):
    """Open a headless Chromium with a new profile."""
    options = webdriver.ChromeOptions()
    options.binary_location = tool("chromium", "chromium-browser", "google-chrome")
    for flag in FLAGS + [f"--user-data-dir={folder}"]:
        options.add_argument(flag)
    service = webdriver.ChromeService if hasattr(webdriver, "ChromeService") else webdriver.chrome.service.Service
    driver = webdriver.Chrome(options=options, service=service(executable_path=tool("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def served(tmp_path):
    """A copy of the notebooks folder with a small text in the settings."""
    folder = tmp_path / "notebooks"
    shutil.copytree(str(FOLDER), str(folder), ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    (folder / "text.txt").write_text("The cat sat on the mat.\n" * 2000, encoding="utf-8")
    path = folder / generate.EXERCISE.name
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('text_name = \\"anna\\"', 'text_name = \\"text.txt\\"'), encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_run_all_gives_the_stubs_messages_and_no_traceback(served, fonts, tmp_path):
    with browser(tmp_path / "profile") as driver, jupyter(served, fonts) as address:
        driver.get(f"{address}/notebooks/{generate.EXERCISE.name}")
        wait(lambda: driver.execute_script("return typeof Jupyter != 'undefined' && Jupyter.notebook != null && "
                                           "Jupyter.notebook.kernel != null && "
                                           "Jupyter.notebook.kernel.is_connected()"),
             "the kernel does not start")
        driver.execute_script("Jupyter.notebook.execute_all_cells()")
        wait(lambda: driver.execute_script(IDLE), "the cells do not all run")
        texts = driver.execute_script(TEXTS)
        errors = driver.find_elements("css selector", ".output_error, .output_stderr")
    assert not errors
    for name in EXERCISES:
        assert texts[name].startswith(f"{name}: not right yet. Still None: ")
    assert texts["train"].startswith("This cell waits for the same exercises.")
    assert "This cell needs exercises that no check has found right" in "".join(texts.values())
    assert not re.search("Traceback", "".join(texts.values()))
