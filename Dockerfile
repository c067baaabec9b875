# syntax=docker/dockerfile:1
# The builder and the final images are of the same Debian release: the programs link against the builder's C library.
FROM rust:1.95-bookworm AS builder
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --release --locked --package aicore-operator --package aicore-emulator --bins \
    && cp target/release/aicore-operator target/release/aicore-emulator /

# C library, libgcc and the certificate authorities that AI Core's certificate is checked against; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot AS base
# As a number, so that the kubelet can tell that it is not root.
USER 65532:65532

# An AI Core for a trial without an account (--target emulator).
FROM base AS emulator
COPY --from=builder /aicore-emulator /usr/local/bin/aicore-emulator
ENTRYPOINT ["/usr/local/bin/aicore-emulator"]

# The last stage is what is built where none is named.
FROM base AS operator
COPY --from=builder /aicore-operator /usr/local/bin/aicore-operator
ENTRYPOINT ["/usr/local/bin/aicore-operator"]
CMD ["run"]
