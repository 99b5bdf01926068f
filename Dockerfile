# The executor image: one program, the C library that it runs on, and nothing else.
# Build the program first, with `deno task build --executor`: it leaves dist/executor, whose loader and libraries are looked up in
# /kaniko/lib alone, because a build replaces everything else of the root filesystem by the image being built.

# Any image with GNU libc 2.27 or later and a shell.
ARG BASE=debian:bookworm

FROM ${BASE} AS libraries
COPY .ci/collect_libraries.sh /collect_libraries.sh
RUN sh /collect_libraries.sh /image/kaniko/lib && mkdir -p /image/kaniko/.docker /image/workspace

FROM scratch
COPY --from=libraries /image/ /
COPY --chmod=755 dist/executor /kaniko/executor
ENV container=oci \
    HOME=/root \
    USER=root \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/kaniko \
    DOCKER_CONFIG=/kaniko/.docker/
WORKDIR /workspace
ENTRYPOINT ["/kaniko/executor"]
