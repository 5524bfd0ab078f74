# The router's image: the freeflow program, the libraries that it loads, and libfsocket.so for x86-64 and arm64; no shell and no
# package manager. docs/install-docker.md tells how it is run.
#
#   docker build --build-arg COMMIT=$(git rev-parse HEAD) -t freeflow .

# Where it is built: an image with apt, from which the .NET 10 SDK can be had, or that has it. The router's own image takes the C library
# and OpenSSL from there.
ARG BUILD_BASE=ubuntu:26.04

FROM ${BUILD_BASE} AS build
ARG COMMIT=
WORKDIR /src
COPY deploy/image/tools deploy/image/tools
RUN deploy/image/tools
COPY . .
RUN deploy/image/assemble /image ${COMMIT}

FROM scratch
ARG COMMIT=
COPY --from=build /image /
LABEL org.opencontainers.image.title="Freeflow router" \
      org.opencontainers.image.description="RDMA and host-speed TCP for the containers of a host" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision=${COMMIT}
# The containers' library goes to where they mount it from. Not a volume: one that nobody else sees would hide that the host's is missing.
ENV PATH=/usr/bin \
    FREEFLOW_SHIM_INSTALL_TO=/freeflow
HEALTHCHECK --interval=30s --timeout=15s --start-period=30s --retries=3 CMD ["/usr/bin/freeflow", "health"]
ENTRYPOINT ["/usr/bin/freeflow"]
CMD ["run"]
