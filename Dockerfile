# One image for server and clients; the command says which:  docker run IMAGE lab.actors.client …
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1

# A named volume mounted on /data takes over this owner.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin hangup \
 && install -d -o hangup -g hangup /data
WORKDIR /app

# Before the code, so that a change of code installs nothing.  The secret is for a network whose TLS goes through its
# own certificate authority: docker-compose.yml takes it from LAB_EXTRA_CA, and without it the secret is empty.
COPY requirements/actors.lock requirements/
RUN --mount=type=secret,id=extra_ca \
    if [ -s /run/secrets/extra_ca ]; then \
      cat /etc/ssl/certs/ca-certificates.crt /run/secrets/extra_ca > /tmp/ca.pem; \
      export PIP_CERT=/tmp/ca.pem; \
    fi; \
    pip install --quiet --no-cache-dir --root-user-action=ignore --disable-pip-version-check \
      --require-hashes -r requirements/actors.lock \
 && rm -f /tmp/ca.pem

# Compiled here because the container's file system may be read-only; readable whatever umask the clone was made with.
COPY lab/ lab/
RUN python -m compileall -q lab && chmod -R a+rX lab

USER hangup
ENTRYPOINT ["python", "-m"]
CMD ["lab.actors.server", "lab.servers.reference.app:app"]
