# Works with GNU make 3.81 (macOS) and later. Everything runs in .venv, which is made when it is first needed.

# Arguments for the command, quoted for the shell: make train ARGS="--epochs 1 --lstm-size 128"
ARGS ?=
# A known text (anna, tiny-shakespeare, python) or a path: make train TEXT=my.txt
TEXT ?= anna

python := .venv/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The texts need no download if they are in a folder next to the checkout.
ifeq ($(origin CHARRNN_DATA),undefined)
ifneq ($(wildcard ../shared/data),)
export CHARRNN_DATA := $(CURDIR)/../shared/data
endif
endif

# $(1) as one word for the shell, whatever characters it has.
quote = '$(subst ','\'',$(1))'

.PHONY: help train train-distributed sample notebook test bench lint venv venv-distributed lock clean again

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | while IFS='	' read -r name text; do \
		printf '  make %-18s%s\n' "$$name" "$$text"; done
	@echo 'ARGS="..." goes to the command, TEXT=... names the text, PYTHON=... names the Python 3.7 to use.'
	@echo 'If no Python 3.7 is found, one is downloaded into .python; PYTHON_DOWNLOAD=no prevents this.'

# A run that is resumed knows its text, so only a TEXT on the command line is passed on.
resumes := $(if $(filter file,$(origin TEXT)),$(findstring --resume,$(ARGS)))

# The text to train on: TEXT, or where it is anna and that can be neither found nor downloaded, python.
given = $(if $(filter-out xannax,x$(TEXT)x),$(call quote,$(TEXT)),$$($(python) -m charrnn.text.corpus anna python))

# Ctrl-C is a usual way to end train and sample. Their status is then 130, for which make is to print no error.
train: .venv/.done ## train the notebook's recipe on anna.txt, or on TEXT
	@trap : INT; \
		text=$(given) && \
		$(python) -m charrnn.train $(if $(resumes),,"$$text") $(ARGS) || [ $$? -eq 130 ]

# Number of processes: make train-distributed NP=4
NP ?= 2
# horovodrun, without the traceback that it prints when a process ends with an error.
horovodrun := -c "import sys; from horovod.runner.launch import run_commandline; sys.excepthook = lambda _, error, __: 'exited with non-zero' in str(error) or print(error, file=sys.stderr); run_commandline()"

train-distributed: .venv/.distributed ## train on NP=2 processes of this machine with Horovod
	@trap : INT; \
		case '$(NP)' in ''|*[!0-9]*|0*) echo "NP is the number of processes, not '$(NP)'" >&2; exit 2;; esac; \
		text=$(given) && \
		PATH="$$(pwd -P)/.venv/bin:$$PATH" $(python) $(horovodrun) -np $(NP) --gloo \
			"$$(pwd -P)/$(python)" -m charrnn.train $(if $(resumes),,"$$text") $(ARGS)

sample: .venv/.done ## write text from the latest checkpoint
	@trap : INT; $(python) -m charrnn.sample $(ARGS) || [ $$? -eq 130 ]

# Jupyter prefers the user's kernels to those of this environment, unless it is told not to.
notebook: .venv/.done ## open the notebooks in a browser
	@JUPYTER_PREFER_ENV_PATH=1 $(python) -m notebook --ip=127.0.0.1 $(ARGS) notebooks/

test: .venv/.done ## run the quick tests; ARGS="-m ''" runs the slow ones too
	@$(python) -m pytest -n 2 --dist worksteal $(ARGS)

bench: .venv/.done ## compare the speed with the notebook's graph and other programs, on an idle machine
	@$(python) benchmarks/bench.py $(ARGS)

# The linter of the JavaScript and CSS, a program from npm.
biome := .tools/node_modules/.bin/biome
biome_version := 2.6.8

lint: .venv/.done ## check the style, the types, the imports, and that the notebooks match their generator
	@$(python) -m ruff check $(wildcard charrnn tests notebooks benchmarks) setup.py
	@$(python) -m mypy
	@$(python) -m pytest -q tests/test_architecture.py
	@if ! command -v npm >/dev/null; then echo "npm is missing: the JavaScript is not checked"; \
	elif [ "$$($(biome) --version 2>/dev/null)" = "Version: $(biome_version)" ] || npm install --prefix .tools --no-save \
		--no-audit --no-fund --loglevel=error @biomejs/biome@$(biome_version); then \
		$(biome) lint --config-path=.make --error-on-warnings charrnn/page tests/page; \
	else echo "Biome could not be fetched: the JavaScript is not checked"; fi
	@if [ -f notebooks/generate.py ]; then $(python) notebooks/generate.py --check; fi

venv: .venv/.done ## make .venv with the locked packages and charrnn
	@echo "the environment is .venv: $$($(python) -V)"

# pip 24.0 is the last for Python 3.7.
pip := pip==24.0
# "again" if .venv was moved here, or if its Python is gone.
stale := $(shell [ "$$(cat .venv/.done 2>/dev/null)" = "$$(pwd -P)" ] && .venv/bin/python -c '' 2>/dev/null || echo again)

# The stamp is written last and each set-up starts from nothing, so an interrupted one is repeated.
# setuptools and wheel are installed first because gast has no wheel and is built with them.
.venv/.done: setup.py requirements.txt requirements-dev.txt $(stale)
	@found=$$(sh .make/find-python) && \
	echo "$$("$$found" -V) at $$found" && \
	echo "making .venv" && rm -rf .venv/.done .venv && "$$found" -m venv .venv && \
	$(python) -m pip install -q $(pip) && \
	$(python) -m pip install -q -c requirements.txt setuptools wheel && \
	echo "installing the locked packages, which takes a few minutes" && \
	$(python) -m pip install -q --no-build-isolation -r requirements.txt -r requirements-dev.txt && \
	echo "installing charrnn from this folder" && \
	$(python) -m pip install -q --no-deps --no-build-isolation -e . && \
	pwd -P >.venv/.done

venv-distributed: .venv/.distributed ## add Horovod to .venv, for training on several machines
	@echo "the environment .venv has Horovod"

# pip keeps the wheel that it builds, so the next time takes seconds. CMake 4 needs the policy version.
.venv/.distributed: .venv/.done requirements-distributed.txt
	@echo "installing Horovod, which takes two to five minutes the first time"
	@HOROVOD_WITH_TENSORFLOW=1 HOROVOD_WITHOUT_PYTORCH=1 HOROVOD_WITHOUT_MXNET=1 HOROVOD_WITH_GLOO=1 \
		HOROVOD_WITHOUT_MPI=1 CMAKE_POLICY_VERSION_MINIMUM=3.5 \
		$(python) -m pip install -q --no-build-isolation -c requirements.txt -r requirements-distributed.txt \
		>.venv/horovod.log 2>&1 || { \
			for tool in cmake g++; do command -v $$tool >/dev/null || \
				echo "Horovod is compiled when it is installed, and $$tool is missing: install cmake and g++" >&2; done; \
			echo "Horovod could not be installed; .venv/horovod.log has the messages" >&2; exit 1; }
	@touch $@

# h5py is kept below 3 in the lock only: with h5py 3, TensorFlow 1.15's Keras cannot read its own HDF5 models.
lock: .venv/.done ## renew requirements.txt and requirements-dev.txt (on Linux x86-64)
	@set -e; new=$$(mktemp -d); trap 'rm -rf "$$new"' EXIT; \
	$(python) -m pip freeze --all | grep -E '^(pip|setuptools|wheel)==' >"$$new/tools"; \
	"$$(sh .make/find-python)" -m venv "$$new/venv"; pip="$$new/venv/bin/python -m pip"; \
	freeze() { $$pip freeze --all --exclude pip --exclude charrnn | LC_ALL=C sort -f; }; \
	$$pip install -q $(pip); $$pip install -q -r "$$new/tools"; \
	$$pip install -q --no-build-isolation . 'h5py<3'; freeze >"$$new/run"; \
	$$pip install -q --no-build-isolation -c "$$new/run" '.[notebook,test]' ruff mypy; \
	freeze | grep -vxF -f "$$new/run" >"$$new/dev"; \
	for part in run dev; do \
		file=requirements.txt; [ $$part = run ] || file=requirements-dev.txt; \
		{ sed -n '/^#/p' $$file; cat "$$new/$$part"; } >"$$new/whole"; cat "$$new/whole" >$$file; done

clean: ## delete .venv, caches and build products; data/, checkpoints/ and .python/ stay
	@rm -rf .venv/.done .venv .tools build dist *.egg-info __pycache__ \
		.pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage
	@find Makefile setup.py $(wildcard charrnn tests notebooks benchmarks) \
		\( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
