"""The website of docs/: the page of flags is current, and mkdocs builds all pages without a warning."""

import subprocess
import sys

import pytest
from conftest import ROOT

ADDRESS = "https://github.com/someone/a-fork"
# Builds the website in a folder, as that of a project with an address.
BUILD = """
import sys
sys.path.insert(0, "notebooks")
import generate
from mkdocs.__main__ import cli
generate.REPOSITORY = sys.argv[1]
cli(["build", "--strict", "--site-dir", sys.argv[2]])
"""


def build(folder, address):
    """Build the website, and return its folder."""
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: pip install -e '.[site]'")
    program = [sys.executable, "-c", BUILD, address, str(folder)]
    done = subprocess.run(program, cwd=str(ROOT), stderr=subprocess.PIPE, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return build(tmp_path_factory.mktemp("site"), "https://github.com/OWNER/charrnn")


@pytest.fixture(scope="module")
def site_of_a_fork(tmp_path_factory):
    return build(tmp_path_factory.mktemp("site-of-a-fork"), ADDRESS)


def read(site, page):
    return (site / page).read_text(encoding="utf-8")


def test_the_page_of_flags_is_that_of_the_commands(tmp_path):
    """With every Python; if it is not, run make flags."""
    written = tmp_path / "flags.md"
    program = [sys.executable, ".make/flags.py", str(written)]
    subprocess.run(program, cwd=str(ROOT), check=True)
    assert written.read_text() == (ROOT / "docs" / "flags.md").read_text()


@pytest.mark.parametrize("page", ["anna.html", "learn.html", "yours.html"])
def test_the_pages_of_networks_are_pages_of_the_site(site, page):
    assert read(site, page) == (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert f'href="{page}"' in read(site, "training.html")


@pytest.mark.parametrize("page", ["anna", "learn", "yours"])
def test_a_link_to_one_of_these_pages_has_a_picture(site_of_a_fork, page):
    picture = f"docs/images/{page}-page.png"
    assert (ROOT / picture).exists()
    head, _ = read(site_of_a_fork, f"{page}.html").split("</head>", 1)
    assert f'<meta property="og:image" content="{ADDRESS}/raw/main/{picture}">' in head


def test_a_link_out_of_docs_is_text_without_an_address(site):
    assert "a line in CHANGES.md" in " ".join(read(site, "design.html").split())


def test_no_page_leads_to_its_source_without_an_address(site):
    assert "GitHub" not in read(site, "training.html")


def test_a_link_out_of_docs_leads_to_the_repository(site_of_a_fork):
    link = f'<a href="{ADDRESS}/blob/main/CHANGES.md">CHANGES.md</a>'
    assert link in read(site_of_a_fork, "design.html")


def test_each_page_leads_to_its_source(site_of_a_fork):
    link = f'href="{ADDRESS}/edit/main/docs/training.md"'
    assert link in read(site_of_a_fork, "training.html")
