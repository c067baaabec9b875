# syntax=docker/dockerfile:1
# The builder and the final image are of the same Debian release: the program links against the builder's C library.
FROM rust:1.95-bookworm AS builder
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --release --locked --package aicore-operator --bin aicore-operator \
    && cp target/release/aicore-operator /aicore-operator

# C library, libgcc and the certificate authorities that AI Core's certificate is checked against; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=builder /aicore-operator /usr/local/bin/aicore-operator
# As a number, so that the kubelet can tell that it is not root.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/aicore-operator"]
CMD ["run"]
