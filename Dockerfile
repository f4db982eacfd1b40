# The image of the action and of the command line: one static binary, the
# authorities that GitHub's certificate needs, and nothing else.
ARG GO_IMAGE=golang:1.26-trixie
# The compiler runs on the machine that builds, for whatever machine is asked
# for; BUILDPLATFORM is BuildKit's, and the older builder has none.
FROM --platform=${BUILDPLATFORM:-linux} ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=
ARG TARGETOS=
ARG TARGETARCH=
RUN mkdir -p /out/etc/ssl/certs /out/tmp && chmod 1777 /out/tmp && \
    cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ && \
    CGO_ENABLED=0 GOOS="${TARGETOS}" GOARCH="${TARGETARCH}" go build -trimpath \
      -ldflags "-s -w -X github.com/sessiongate/sessiongate/internal/cli.stamped=${VERSION}" -o /out/sessiongate . && \
    ln -s sessiongate /out/sessiongate-clean

FROM scratch
# No USER: the runner has a container action run as root, since its files and
# the engine's socket are root's.
COPY --from=build /out/ /
ENTRYPOINT ["/sessiongate"]
