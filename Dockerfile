# The gate alone, without a shell: docker build -t msq-gate .
FROM docker.io/library/rust:1.91-bookworm AS build
WORKDIR /source
COPY . .
RUN cargo build --locked --release --package msq-gate --bin msq-gate

FROM gcr.io/distroless/cc-debian12
LABEL org.opencontainers.image.title="msq-gate" \
      org.opencontainers.image.description="The entry point of an Apache Druid cluster: authenticates every caller and authorizes every request" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /source/target/release/msq-gate /usr/local/bin/msq-gate
COPY --from=build /source/LICENSE /usr/share/doc/msq-gate/LICENSE
# distroless calls this user `nonroot`.
USER 65532:65532
EXPOSE 8443
# The gate ends in order on SIGTERM, and reads its policy again on SIGHUP.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/msq-gate"]
CMD ["serve", "--config", "/etc/msq-gate/gate.toml"]
