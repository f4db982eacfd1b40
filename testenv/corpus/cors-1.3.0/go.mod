module corpus.test/cors-1.3.0

go 1.26.0

require github.com/rs/cors v1.3.0
