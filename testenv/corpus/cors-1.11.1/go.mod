module corpus.test/cors-1.11.1

go 1.26.0

require github.com/rs/cors v1.11.1
