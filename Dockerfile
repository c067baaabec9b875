# syntax=docker/dockerfile:1
# The builder and the final images are of the same Debian release: the programs link against the builder's C library.
FROM rust:1.95-bookworm AS builder
WORKDIR /source
# First what others have written. It is built around empty programs, and stays as a layer of its own until a manifest changes.
COPY Cargo.toml Cargo.lock ./
COPY tests/emulator/Cargo.toml tests/emulator/
COPY tests/fuzz/Cargo.toml tests/fuzz/
COPY tests/harness/Cargo.toml tests/harness/
COPY tests/model/Cargo.toml tests/model/
RUN for package in . tests/emulator tests/fuzz tests/harness tests/model; do \
      mkdir -p $package/src $package/benches \
      && echo '//! Nothing yet.' | tee $package/src/lib.rs $package/src/main.rs $package/benches/list.rs $package/benches/sizing.rs \
      && echo 'fn main() {}' >>$package/src/main.rs \
      || exit 1; \
    done
RUN cargo build --release --locked --package aicore-operator --package aicore-emulator --bins \
    && cargo clean --release --locked --package aicore-operator --package aicore-emulator
COPY tests/emulator/src tests/emulator/src
COPY src src
RUN cargo build --release --locked --package aicore-operator --package aicore-emulator --bins

# C library, libgcc and the certificate authorities that AI Core's certificate is checked against; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot AS base
# As a number, so that the kubelet can tell that it is not root.
USER 65532:65532
ARG VERSION
ARG REVISION
ARG SOURCE
LABEL org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE"

# An AI Core for a trial without an account (--target emulator).
FROM base AS emulator
LABEL org.opencontainers.image.title="aicore-emulator" \
      org.opencontainers.image.description="An emulated SAP AI Core, for trials and tests"
COPY --from=builder /source/target/release/aicore-emulator /usr/local/bin/aicore-emulator
ENTRYPOINT ["/usr/local/bin/aicore-emulator"]

# The last stage is what is built where none is named.
FROM base AS operator
LABEL org.opencontainers.image.title="aicore-operator" \
      org.opencontainers.image.description="A Kubernetes operator that runs, stops and deletes SAP AI Core deployments"
COPY --from=builder /source/target/release/aicore-operator /usr/local/bin/aicore-operator
ENTRYPOINT ["/usr/local/bin/aicore-operator"]
CMD ["run"]
