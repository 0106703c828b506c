# docker build -t newsnest .
# docker run --rm -v "$PWD:/data" --user "$(id -u)" newsnest                      the demo
# docker run --rm -v "$PWD:/data" --user "$(id -u)" newsnest cluster news.csv -o news.nest
FROM python:3.12-slim

WORKDIR /opt/newsnest
# torch first: it is large, and its layer changes with its pin alone. PyPI's own build for Linux
# brings CUDA along; that of this index is the same version for CPUs, and pip prefers it.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY constraints.txt ./
RUN pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" -c constraints.txt torch
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip install --no-cache-dir -c constraints.txt ".[offline]"

# Caches that any --user can write.
ENV NUMBA_CACHE_DIR=/tmp/numba NEWSNEST_CACHE=/tmp/newsnest HF_HOME=/tmp/huggingface
RUN useradd --create-home newsnest && install -d -o newsnest /data
USER newsnest
WORKDIR /data
ENTRYPOINT ["newsnest"]
CMD ["demo"]
