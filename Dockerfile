# docker build -t charrnn .
# docker run --rm -it -v "$PWD:/work" charrnn train my.txt
#
# TensorFlow 1.15 has wheels for x86-64 only.
FROM --platform=linux/amd64 python:3.7-slim

WORKDIR /charrnn
COPY requirements.txt ./
RUN pip install --no-cache-dir pip==24.0
RUN pip install --no-cache-dir -c requirements.txt setuptools wheel
RUN pip install --no-cache-dir --no-build-isolation -r requirements.txt
COPY pyproject.toml setup.py LICENSE ./
COPY charrnn charrnn
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

WORKDIR /work
# The first argument is the name of a command without "charrnn-".
ENTRYPOINT ["sh", "-c", "exec \"charrnn-$0\" \"$@\""]
CMD ["train", "--help"]
