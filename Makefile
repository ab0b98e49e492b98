# Every command of the project. `make help` lists them.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The project brings its own Node (the npm package `node`), so the machine's may be any from 20 on.
BIN := node_modules/.bin
NODE := $(BIN)/node
OLDEST_NODE := 20
INSTALLED := node_modules/.installed

.PHONY: help demo run test lint types format docs bench cluster cluster-assets e2e clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(INSTALLED) ## show the main job on a sample application: no cluster needed
	@$(NODE) test/demo/main.ts

run: $(INSTALLED) ## start the server on 127.0.0.1:8443 and :8080 with a mesh of YAML files
	@$(NODE) test/demo/serve.ts

test: $(INSTALLED) lint types ## lint, type check, all tests
	@$(NODE) $(BIN)/vitest run

lint: $(INSTALLED) ## lint and check the format
	@$(BIN)/biome ci .

types: $(INSTALLED) ## type check
	@$(NODE) $(BIN)/tsc

format: $(INSTALLED) ## put the format right
	@$(BIN)/biome check --write .

docs: $(INSTALLED) ## write the README's tables from the code
	@$(NODE) test/docs/write.ts

bench: $(INSTALLED) ## measure what a decision costs, against parsing the request
	@$(NODE) test/bench/main.ts

cluster-assets: $(INSTALLED) ## build the binaries of the cluster for tests, once: ten minutes; needs Go
	@$(NODE) test/cluster/assets/main.ts

cluster: cluster-assets ## bring a cluster up to play with, until Ctrl-C; needs root
	@$(NODE) test/cluster/main.ts

e2e: cluster-assets ## try everything against a real API server; needs root
	@$(NODE) $(BIN)/vitest run --config test/cluster/vitest.config.ts

clean: ## remove all that was installed or made
	rm -rf node_modules .run coverage

$(INSTALLED): package.json package-lock.json
	@command -v npm >/dev/null || { echo "make: npm is missing: install Node.js $(OLDEST_NODE) or newer with npm (Debian: apt-get install nodejs npm)" >&2; exit 1; }
	@command -v node >/dev/null || { echo "make: node is missing: install Node.js $(OLDEST_NODE) or newer (Debian: apt-get install nodejs npm)" >&2; exit 1; }
	@node -e 'const [major] = process.versions.node.split("."); if (major < $(OLDEST_NODE)) { console.error("make: Node.js " + process.version + " is too old: install $(OLDEST_NODE) or newer"); process.exit(1); }'
	@echo "installing npm packages (once)"
	@npm ci --loglevel=error --no-fund --no-audit || { echo "make: npm ci failed: the lines above say why; it needs the npm registry" >&2; exit 1; }
	@touch $@
