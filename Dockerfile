# vidgend on a CPU. Unverified: there was no Docker engine where this was written; the steps are those of the README.
#   docker build -t vidgend .
#   docker run --init --stop-timeout 30 -p 127.0.0.1:8080:8080 -v vidgend:/data -e VIDGEND_HTTP__API_KEY=... vidgend
FROM python:3.12-slim-bookworm
# ffmpeg comes from the package imageio-ffmpeg; espeak-ng is a last resort for languages that Kokoro lacks here.
RUN apt-get update && apt-get install -y --no-install-recommends util-linux espeak-ng && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/vidgend
COPY requirements.lock requirements-relevance.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock \
 && pip install --no-cache-dir --no-deps --require-hashes -r requirements-relevance.txt
COPY pyproject.toml README.md LICENSE ./
COPY docs/errors.md docs/errors.md
COPY vidgend vidgend
RUN pip install --no-cache-dir --no-deps --no-build-isolation .
RUN useradd --system --uid 10001 --home-dir /data vidgend && install -d -o vidgend -m 0700 /data
USER vidgend
ENV VIDGEND_DATA_DIR=/data VIDGEND_HTTP__HOST=0.0.0.0
VOLUME /data
EXPOSE 8080
HEALTHCHECK --start-period=20s CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/readyz', timeout=3)"]
# A clean stop needs up to 25 s: run with --init and a stop timeout of 30 s.
STOPSIGNAL SIGTERM
ENTRYPOINT ["vidgend"]
CMD ["serve"]
