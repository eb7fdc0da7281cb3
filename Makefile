# For GNU make 3.81 (macOS) and later. Everything runs in a virtual environment, which is made when it is first needed:
# what only uses a model in .venv-numpy, which has no TensorFlow, unless there is one with TensorFlow already.

# Arguments for the command, quoted for the shell: make train ARGS="--epochs 1 --lstm-size 128"
ARGS ?=
# A known text (anna, tiny-shakespeare, names, python) or a path: make train TEXT=my.txt
TEXT ?= anna

# The TensorFlow to use: 1 (1.15) or 2, in .venv-tf2; nothing means 1 where Python 3.7 can be had, else 2, in .venv.
TENSORFLOW ?=
venv := .venv$(addprefix -tf,$(filter-out 1,$(TENSORFLOW)))
python := $(venv)/bin/python
small := .venv-numpy
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The texts need no download if they are in a folder next to the checkout.
ifeq ($(origin CHARRNN_DATA) $(wildcard ../shared/data),undefined ../shared/data)
export CHARRNN_DATA := $(CURDIR)/../shared/data
endif

# $(1) as one word for the shell, whatever characters it has.
quote = '$(subst ','\'',$(1))'

# "again" if the environment $(1) was moved here, if its Python is gone, or if it is one of TensorFlow 2 and 1 is wanted.
stale = $(shell [ "$$(cat $(1)/.done 2>/dev/null)" = "$$(pwd -P)" ] && $(1)/bin/python -c \
	'import sys; sys.exit("$(TENSORFLOW)" == "1" and sys.version_info >= (3, 8))' >/dev/null 2>&1 || echo again)
stale_venv := $(call stale,$(venv))
user := $(if $(TENSORFLOW),$(venv),$(if $(stale_venv),$(small),$(venv)))

targets := help train train-distributed sample notebook lesson.zip page page-of-anna page-of-learning page-of-yours models flags site kernel test test-pages test-fast \
	bench format lint venv lock clean again
.PHONY: $(targets)

# Make would take another word beside these for a file to be made, and say so when the training has ended.
wordless := $(filter train train-distributed sample page,$(MAKECMDGOALS))
word := $(if $(wordless),$(filter-out $(targets),$(MAKECMDGOALS)))
$(if $(word),$(error make $(wordless) takes no other word, as "$(word)": TEXT=FILE names a text, and ARGS="..." has what \
	goes to the command))

# Neither would it say anything of a variable that it does not know, and train on anna.
given := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
unknown := $(if $(wordless),$(filter-out ARGS TEXT TENSORFLOW PYTHON PYTHON_DOWNLOAD NP MODEL CHARRNN_DATA,$(given)))
$(if $(unknown),$(error make $(wordless) knows no $(unknown): TEXT=FILE names a text, ARGS="..." has what goes to the \
	command, and TENSORFLOW=2 chooses TensorFlow 2))

help: ## list the targets
	@sed -n 's/^\([a-z.-]*\):.*## /\1	/p' Makefile | while IFS='	' read -r name text; do \
		printf '  make %-18s%s\n' "$$name" "$$text"; done
	@echo 'Other commands: . $(venv)/bin/activate; charrnn lists them.'
	@echo 'ARGS="..." goes to the command, TEXT=... names the text, PYTHON=... the Python.'
	@echo 'TENSORFLOW=2 uses TensorFlow 2 on Python 3.10 to 3.13. Otherwise it is 1.15, for'
	@echo 'which Python 3.7 is downloaded into .python if none is found; PYTHON_DOWNLOAD=no'
	@echo 'prevents this, and TensorFlow 2 is used.'

# A run that is resumed knows its text, so only a TEXT on the command line is passed on.
resumes := $(if $(filter file,$(origin TEXT)),$(findstring --resume,$(ARGS)))
text = $(if $(resumes),,$(call quote,$(TEXT)))

# The commands then advise what to type with make.
train train-distributed sample page: export CHARRNN_MAKE := make$(addprefix $() TENSORFLOW=,$(TENSORFLOW))

# Ctrl-C and a reader of the output that leaves, such as head, are usual ways to end train and sample. The status is then
# 130 or 141, for which make is to print no error.
ended := { status=$$?; case $$status in 130 | 141) ;; *) exit $$status;; esac; }
train: $(venv)/.done ## train the notebook's recipe on anna.txt, or on TEXT
	@trap : INT; $(python) -m charrnn train $(text) $(ARGS) || $(ended)

# Number of processes: make train-distributed NP=4
NP ?= 2
train-distributed: $(venv)/.done ## train on NP=2 processes of this machine with MPI
	@case $(call quote,$(NP)) in ''|*[!0-9]*|0*|????*) \
		echo "NP is the number of processes, 1 to 999, not '$(NP)'" >&2; exit 2;; esac; \
		trap : INT; $(venv)/bin/mpiexec -n $(NP) $(python) -m charrnn train $(text) $(ARGS) || $(ended)

sample: $(user)/.done ## write text from the newest run, or from anna
	@trap : INT; $(user)/bin/python -m charrnn sample $(ARGS) || $(ended)

# Jupyter prefers the user's kernels to those of this environment, unless it is told not to. It refuses root, as whom
# everything runs in a container, unless it is told not to.
notebook: $(venv)/.done ## open the notebooks in a browser
	@JUPYTER_PREFER_ENV_PATH=1 $(python) -m notebook --ip=127.0.0.1 \
		$(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS) notebooks/

# Students get what does not solve the exercises: make lesson.zip FOR=students
FOR ?= teachers
lesson.zip: $(user)/.done ## pack the lesson; FOR=students without solutions
	@$(user)/bin/python notebooks/lesson.py $@ --for $(call quote,$(FOR))

# A run folder or another model: make page MODEL=checkpoints/2
MODEL ?=
page: $(user)/.done ## write page.html, the page of the newest run or of MODEL
	@$(user)/bin/python -m charrnn export $(if $(MODEL),$(call quote,$(MODEL))) page.html $(ARGS)

# int8, so that the file in the repository is small
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

# A later -m, in ARGS, replaces this one.
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

# Programs from npm: the linter of the JavaScript and CSS, and what makes .wasm files of .wat files.
biome := .tools/node_modules/.bin/biome
biome_version := 2.6.8
wat2wasm := .tools/node_modules/.bin/wat2wasm
wabt_version := 1.0.37
npm_tools = { [ "$$($(biome) --version 2>/dev/null)" = "Version: $(biome_version)" ] && \
	grep -q '"version": "$(wabt_version)"' .tools/node_modules/wabt/package.json 2>/dev/null || npm install --prefix .tools --no-save --no-audit \
	--no-fund --prefer-offline --loglevel=error @biomejs/biome@$(biome_version) wabt@$(wabt_version); }
pages := charrnn/pages

# $(1) is the folder for the .wasm files.
kernels = mkdir -p $(1) && $(wat2wasm) $(pages)/shared/kernel.wat -o $(1)/kernel.wasm && \
	for form in train fused; do sh .make/train-wat $$form >.tools/$$form.wat && \
		$(wat2wasm) --enable-relaxed-simd .tools/$$form.wat -o $(1)/$$form.wasm || exit; done

kernel: ## make the .wasm files of the pages, with npm
	@$(npm_tools) && $(call kernels,$(pages)/shared)

python_sources := $(wildcard charrnn tests notebooks benchmarks docs .make) setup.py
page_sources := $(wildcard $(pages) tests/pages)

# $(1) is done with the programs from npm. Without them, $(2) names what is left out.
with_npm = if ! command -v npm >/dev/null; then echo "npm is missing: $(2)"; \
	elif $(npm_tools); then $(1); else echo "Biome and wabt could not be fetched: $(2)"; fi

format: $(venv)/.done ## give Python, JavaScript and CSS their format
	@$(python) -m ruff check --select I --fix $(python_sources)
	@$(python) -m ruff format $(python_sources)
	@$(call with_npm,$(biome) format --config-path=.make --write $(page_sources),the JavaScript and CSS stay as they are)

lint: $(venv)/.done ## check the format, style, types, imports and notebooks
	@$(python) -m ruff format --check $(python_sources) || { echo "run make format" >&2; exit 1; }
	@$(python) -m ruff check $(python_sources)
	@$(python) -m mypy
	@$(python) -m pytest -q tests/test_architecture.py tests/test_site.py
	@$(call with_npm,$(lint_of_pages),the JavaScript and the .wasm files are not checked)
	@if [ -f notebooks/generate.py ]; then $(python) notebooks/generate.py --check; fi

# The .wasm files are made again, to see that they are those of their .wat files.
lint_of_pages = { $(biome) format --config-path=.make $(page_sources) || { echo "run make format" >&2; exit 1; }; } && \
	$(biome) lint --config-path=.make --error-on-warnings $(page_sources) && \
	($(call kernels,.tools/kernels)) && for name in kernel train fused; do \
		cmp -s .tools/kernels/$$name.wasm $(pages)/shared/$$name.wasm || exit; done || \
	{ echo "JavaScript, or a .wasm file is not that of its .wat: run make kernel" >&2; exit 1; }

venv: $(venv)/.done ## make .venv with the locked packages and charrnn
	@echo "the environment is $(venv): $$($(python) -V)"

# pip 24.0 is the last for Python 3.7.
pip := "pip==24.0; python_version<'3.8'" "pip==26.3; python_version>='3.8'"
# The lock files of the Python $$found are requirements$$suffix.txt and requirements$$suffix-dev.txt.
suffix_of_found = $$("$$found" -c 'import sys; print("-tf2" * (sys.version_info >= (3, 8)))')
# What is installed for it. The lock files of TensorFlow 2 have packages that Python 3.10 cannot have.
extras := distributed,notebook,site,test
linters := ruff mypy
packages_of_found = $$(case $$($(python) -V) in \
	("Python 3.10."*) echo "installing the newest packages for Python 3.10, which the lock files are not for, in a few minutes" >&2; \
		echo ".[tensorflow,$(extras)]" $(linters);; \
	(*) echo "installing the locked packages, which takes a few minutes" >&2; \
		echo -r requirements$$suffix.txt -r requirements$$suffix-dev.txt;; esac)
find_python := TENSORFLOW=$(call quote,$(TENSORFLOW)) sh .make/find-python

# The end of a list of commands with ||.
pip_failed = { echo "the packages could not be installed: docs/problems.md says how to do it without a network" >&2; \
	exit 1; }

# NumPy and its Python may be of any version, since a model has no pickles and needs few functions.
$(small)/.done: $(call stale,$(small))
	@found=$$(TENSORFLOW=none sh .make/find-python) && echo "$$("$$found" -V) at $$found" && \
	echo "making $(small) with NumPy; make venv adds TensorFlow, which training needs" && \
	rm -rf $(small)/.done $(small) && "$$found" -m venv $(small) && \
	{ $(small)/bin/python -m pip install -q --only-binary=:all: numpy tqdm || $(pip_failed); } && pwd -P >$(small)/.done

# Shows on a terminal how many packages pip has fetched.
counted = awk -v of="$$(cat requirements$$suffix.txt requirements$$suffix-dev.txt | grep -c ==)" \
	-v shown="$$([ ! -t 2 ] || echo yes)" 'shown && /^Collecting / { printf "\r  %d of %d", ++n, of; fflush() } \
	shown && /^Installing collected / { print "\r  all are fetched and are now unpacked"; fflush() }'

# The stamp is written last and each set-up starts from nothing, so an interrupted one is repeated.
# setuptools and wheel are installed first because gast has no wheel and is built with them.
# mpiexec is copied because another package for Python 3.7 has a script of its name, which kills the processes at Ctrl-C.
# Without --use-pep517, pip makes commands for Python 3.7 that import other packages for 0.1 s before charrnn, in which
# Ctrl-C would print a traceback. The warning that is ignored is about folders of the same name.
$(venv)/.done: setup.py $(wildcard requirements*.txt) $(stale_venv)
	@found=$$($(find_python)) && suffix=$(suffix_of_found) && \
	echo "$$("$$found" -V) at $$found" && \
	echo "making $(venv)" && rm -rf $(venv)/.done $(venv) && "$$found" -m venv $(venv) && \
	{ $(python) -m pip install -q $(pip) && \
	$(python) -m pip install -q -c requirements$$suffix.txt setuptools wheel && \
	packages=$(packages_of_found) && \
	{ $(python) -m pip install --no-build-isolation $$packages && \
		touch $(venv)/.installed; } | $(counted) && rm $(venv)/.installed || $(pip_failed); } && \
	echo "installing charrnn from this folder" && \
	PYTHONWARNINGS=ignore $(python) -m pip install -q --no-deps --no-build-isolation --use-pep517 -e . && \
	{ cp -f $(venv)/bin/mpiexec.hydra $(venv)/bin/mpiexec 2>/dev/null || :; } && \
	pwd -P >$(venv)/.done

# Lock files suit several Pythons, so they are made with the oldest of them: 3.7 for TensorFlow 1.15, and 3.11 for
# TensorFlow 2. h5py is kept below 3 for 1.15 only: with h5py 3, its Keras cannot read its own HDF5 models.
lock: ## renew the lock files (on Linux x86-64)
	@set -e; new=$$(mktemp -d); trap 'rm -rf "$$new"' EXIT; \
	found=$$($(find_python) $(if $(filter 2,$(TENSORFLOW)),3.11,3.7)); suffix=$(suffix_of_found); \
	"$$found" -m venv "$$new/venv"; pip="$$new/venv/bin/python -m pip"; \
	freeze() { $$pip freeze --all --exclude pip --exclude karnna | sed "/^mpi4py-m/s/$$/; sys_platform=='linux'/" | \
		LC_ALL=C sort -f; }; \
	grep -E '^(setuptools|wheel)==' requirements$$suffix.txt >"$$new/tools"; \
	$$pip install -q $(pip); $$pip install -q -r "$$new/tools"; export PYTHONWARNINGS=ignore; \
	$$pip install -q --no-build-isolation -c "$$new/tools" '.[tensorflow]' \
		"h5py<3; python_version<'3.8'"; freeze >"$$new/run"; \
	$$pip install -q --no-build-isolation -c "$$new/run" '.[$(extras)]' $(linters); \
	freeze | grep -vxF -f "$$new/run" >"$$new/dev"; \
	for part in run dev; do \
		file=requirements$$suffix.txt; [ $$part = run ] || file=requirements$$suffix-dev.txt; \
		{ sed -n '/^#/p' $$file; cat "$$new/$$part"; } >"$$new/whole"; cat "$$new/whole" >$$file; done

clean: ## delete the environments, caches and build products
	@rm -rf .venv/.done .venv .venv-tf2 $(small) .tools build dist *.egg-info __pycache__ .*_cache .hypothesis .coverage
	@find Makefile setup.py $(wildcard charrnn tests notebooks benchmarks) \
		\( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
