# For GNU make 3.81 (macOS) and later. Everything runs in a virtual environment, which is made when it is first needed:
# what only uses a model in .venv-numpy, which has no TensorFlow, unless there is one with TensorFlow already.

# ARGS has arguments for the command, quoted for the shell: make train ARGS="--epochs 1 --lstm-size 128"
# TEXT is a known text (anna, tiny-shakespeare, names, python) or a path: make train TEXT=my.txt
TEXT ?= anna
NP ?= 2
# The texts need no download if they are in a folder next to the checkout.
export CHARRNN_DATA ?= $(addprefix $(CURDIR)/,$(wildcard ../shared/data))

# TENSORFLOW is 1 (1.15) for .venv, or 2 for .venv-tf2. Nothing means the environment that is there, or else a new
# .venv, with 1 where Python 3.7 can be had, and otherwise with 2.
finished := $(patsubst %/.done,%,$(wildcard .venv/.done .venv-tf2/.done))
venv := $(if $(TENSORFLOW),.venv$(addprefix -tf,$(filter-out 1,$(TENSORFLOW))),$(firstword $(finished) .venv))
python := $(venv)/bin/python
user := $(if $(TENSORFLOW)$(finished),$(venv),.venv-numpy)
# $(1) as one word for the shell, whatever characters it has.
quote = '$(subst ','\'',$(1))'
.PHONY: $(shell sed -n 's/^\([a-z.-]*\):.*/\1/p' Makefile)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / { printf "  make %-18s%s\n", $$1, $$2 }' Makefile
	@echo 'Other commands: . $(venv)/bin/activate; charrnn lists them.'
	@echo 'ARGS="..." goes to the command, TEXT=... names the text, PYTHON=... the Python.'
	@echo 'TENSORFLOW=2 uses TensorFlow 2 on Python 3.10 to 3.13, TENSORFLOW=1 uses 1.15 on'
	@echo 'Python 3.7, which is downloaded into .python, except with PYTHON_DOWNLOAD=no.'

# A run that is resumed knows its text, so only a TEXT on the command line is passed on.
resumes := $(if $(filter file,$(origin TEXT)),$(findstring --resume,$(ARGS)))
text = $(if $(resumes),,$(call quote,$(TEXT)))
# The commands then advise what to type with make.
train train-distributed sample page: export CHARRNN_MAKE := make$(addprefix $() TENSORFLOW=,$(TENSORFLOW))
# Ctrl-C and a reader of the output that leaves, such as head, are usual ways to end train and sample. For their status,
# 130 or 141, make is to print no error.
ended := { status=$$?; case $$status in 130 | 141) ;; *) exit $$status;; esac; }

train: $(venv)/.done ## train the notebook's recipe on anna.txt, or on TEXT
	@trap : INT; $(python) -m charrnn train $(text) $(ARGS) || $(ended)
train-distributed: $(venv)/.done ## train on NP=2 processes of this machine with MPI
	@trap : INT; $(venv)/bin/mpiexec -n $(NP) $(python) -m charrnn train $(text) $(ARGS) || $(ended)
sample: $(user)/.done ## write text from the newest run, or from anna
	@trap : INT; $(user)/bin/python -m charrnn sample $(ARGS) || $(ended)
# Jupyter prefers the user's kernels to those of this environment, and refuses root, as whom everything runs in a
# container, unless it is told not to.
notebook: $(venv)/.done ## open the notebooks in a browser
	@JUPYTER_PREFER_ENV_PATH=1 $(python) -m notebook --ip=127.0.0.1 --allow-root $(ARGS) notebooks/
lesson.zip: $(user)/.done ## pack the lesson; FOR=students without solutions
	@$(user)/bin/python notebooks/lesson.py $@ $(if $(FOR),--for $(call quote,$(FOR)))
page: $(user)/.done ## write page.html, the page of the newest run or of MODEL
	@$(user)/bin/python -m charrnn export $(if $(MODEL),$(call quote,$(MODEL))) page.html $(ARGS)

page-of-anna: $(venv)/.done ## write docs/anna.html, the web page of the model anna
	@$(python) -m charrnn export anna docs/anna.html --weights int8
page-of-learning: $(venv)/.done ## write docs/learn.html, where a network learns
	@$(python) -m charrnn.pages.learning docs/learn.html
page-of-yours: $(venv)/.done ## write docs/yours.html, which learns a text of yours
	@$(python) -m charrnn export english docs/yours.html --learn
models: $(venv)/.done ## train the models of languages, for hours
	@$(python) .make/models.py checkpoints/models $(ARGS)
flags: $(venv)/.done ## write docs/flags.md, the arguments of all commands
	@$(python) .make/flags.py docs/flags.md
site: $(venv)/.done ## write build/site, the website of docs/
	@$(python) -m mkdocs build --strict && echo "open build/site/index.html"

test: $(venv)/.done ## run the quick tests; all with ARGS="-m ''"
	@$(python) -m pytest -n 2 --dist worksteal -m 'not slow and not thorough and not pages' $(ARGS)
test-pages: $(venv)/.done ## run the tests of pages that need a browser
	@$(python) -m pytest -n 2 --dist worksteal -m 'pages and not slow' tests/pages $(ARGS)
# They start no other process either. Hundreds of tests are skipped, so their reasons (s) are not listed.
test-fast: $(venv)/.done ## run the tests without TensorFlow
	@$(python) -m pytest --fast -n 2 --dist worksteal -rfE tests $(ARGS)
bench: $(venv)/.done ## measure the speed, on an idle machine
	@$(python) benchmarks/bench.py $(ARGS)
bench-pages: $(venv)/.done ## have pages learn ten texts in a browser, and count
	@$(python) benchmarks/pages.py build/pages $(ARGS)

# What lints the JavaScript and CSS, and what makes .wasm files of .wat files. Without npm, $(2) names what is left out.
npm_tools := npm install --prefix .tools --no-save --no-audit --no-fund --prefer-offline --silent \
	@biomejs/biome@2.6.8 wabt@1.0.37
with_npm = if ! command -v npm >/dev/null; then echo "npm is missing: $(2)"; else $(npm_tools) && $(1); fi
biome = .tools/node_modules/.bin/biome $(1) --config-path=.make charrnn/pages tests/pages
wat2wasm := .tools/node_modules/.bin/wat2wasm --enable-relaxed-simd
kernels := mkdir -p .tools/kernels && $(wat2wasm) charrnn/pages/shared/kernel.wat -o .tools/kernels/kernel.wasm && \
	for form in train fused; do sh .make/train-wat $$form >.tools/$$form.wat && \
		$(wat2wasm) .tools/$$form.wat -o .tools/kernels/$$form.wasm || exit; done
lint_of_pages = $(call biome,ci --error-on-warnings) && ($(kernels)) && \
	for name in kernel train fused; do cmp .tools/kernels/$$name.wasm charrnn/pages/shared/$$name.wasm || exit; done

kernel: ## make the .wasm files of the pages, with npm
	@$(npm_tools) && ($(kernels)) && cp .tools/kernels/*.wasm charrnn/pages/shared
format: $(venv)/.done ## give Python, JavaScript and CSS their format
	@$(python) -m ruff check --select I --fix .
	@$(python) -m ruff format .
	@$(call with_npm,$(call biome,format --write),the JavaScript and CSS stay as they are)
lint: $(venv)/.done ## check the format, style, types, imports and notebooks
	@$(python) -m ruff format --check .
	@$(python) -m ruff check .
	@$(python) -m mypy
	@$(python) -m pytest -q tests/test_architecture.py tests/test_site.py
	@$(call with_npm,$(lint_of_pages),the JavaScript and the .wasm files are not checked)
	@$(python) notebooks/generate.py --check

venv: $(venv)/.done ## make .venv with the locked packages and charrnn
	@echo "the environment is $(venv): $$($(python) -V)"

# NumPy and its Python may be of any version, since a model has no pickles and needs few functions.
.venv-numpy/.done:
	@found=$$(TENSORFLOW=none sh .make/find-python) && rm -rf .venv-numpy && "$$found" -m venv .venv-numpy && \
	echo "making .venv-numpy for $$("$$found" -V); make venv adds TensorFlow, which training needs" && \
	.venv-numpy/bin/python -m pip install -q --only-binary=:all: numpy tqdm && touch $@

# pip 24.0 is the last for Python 3.7.
pip := "pip==24.0; python_version<'3.8'" "pip==26.3; python_version>='3.8'"
extras := distributed,notebook,site,test
# The lock files for TensorFlow 2 have packages that Python 3.10 cannot have, which gets the newest.
suffix_of_found = $$("$$found" -c 'import sys; print("-tf2" * (sys.version_info >= (3, 8)))')
packages_of_found = $$(case $$("$$found" -V) in ("Python 3.10."*) echo ".[tensorflow,$(extras)]" ruff mypy;; \
	(*) echo -r requirements$$suffix.txt -r requirements$$suffix-dev.txt;; esac)
# The stamp is written last and each set-up starts from nothing, so an interrupted one is repeated.
# setuptools and wheel are installed first because gast has no wheel and is built with them.
# mpiexec is copied because another package for Python 3.7 has a script of its name, which kills them all at Ctrl-C.
# Without --use-pep517, commands for Python 3.7 import other packages before charrnn, where Ctrl-C prints a traceback.
$(venv)/.done: setup.py $(wildcard requirements*.txt)
	@found=$$(TENSORFLOW=$(if $(filter .venv-tf2,$(venv)),2,$(TENSORFLOW)) sh .make/find-python) && \
	suffix=$(suffix_of_found) && packages=$(packages_of_found) && \
	echo "making $(venv) with $$("$$found" -V), which takes a few minutes and 2 GB" && \
	rm -rf $@ $(venv) && "$$found" -m venv $(venv) && $(python) -m pip install -q $(pip) && \
	$(python) -m pip install -q -c requirements$$suffix.txt setuptools wheel && \
	$(python) -m pip install -q --no-build-isolation $$packages && \
	PYTHONWARNINGS=ignore $(python) -m pip install -q --no-deps --no-build-isolation --use-pep517 -e . && \
	{ cp -f $(venv)/bin/mpiexec.hydra $(venv)/bin/mpiexec 2>/dev/null || :; } && touch $@

# Lock files suit several Pythons, so they are made with the oldest of them: 3.7 for TensorFlow 1.15, and 3.11 for
# TensorFlow 2. h5py is kept below 3 for 1.15 only: with h5py 3, its Keras cannot read its own HDF5 models.
lock: ## renew the lock files (on Linux x86-64)
	@set -e; new=$$(mktemp -d); trap 'rm -rf "$$new"' EXIT; \
	found=$$(sh .make/find-python $(if $(filter 2,$(TENSORFLOW)),3.11,3.7)); suffix=$(suffix_of_found); \
	"$$found" -m venv "$$new/venv"; pip="$$new/venv/bin/python -m pip"; export PYTHONWARNINGS=ignore; \
	freeze() { { sed -n '/^#/p' "$$1"; $$pip freeze --all --exclude pip --exclude karnna | \
		sed "/^mpi4py-m/s/$$/; sys_platform=='linux'/" | LC_ALL=C sort -f | grep -vxF -f "$$2"; } >"$$new/whole"; \
		cat "$$new/whole" >"$$1"; }; \
	$$pip install -q $(pip); $$pip install -q -c requirements$$suffix.txt setuptools wheel; \
	$$pip install -q --no-build-isolation '.[tensorflow]' "h5py<3; python_version<'3.8'"; \
	freeze requirements$$suffix.txt /dev/null; \
	$$pip install -q --no-build-isolation -c requirements$$suffix.txt '.[$(extras)]' ruff mypy; \
	freeze requirements$$suffix-dev.txt requirements$$suffix.txt

clean: ## delete the environments, caches and build products
	@rm -rf .venv/.done .venv .venv-tf2 .venv-numpy .tools build dist *.egg-info __pycache__ .*_cache .hypothesis .coverage
	@find * \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
