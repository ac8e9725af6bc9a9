# What people run. The README says what each does.
SHELL := /bin/bash
NODE := node_modules/node/bin/node

.PHONY: demo up stop test bench lose-cluster systems

demo: up
	@source .stack/env && $(NODE) scripts/demo.ts

up: node_modules/.installed
	@$(NODE) scripts/stack/up.ts

systems: node_modules/.installed
	@$(NODE) scripts/stack/up.ts --systems

test: systems
	@source .stack/env && scripts/test.sh

bench: up
	@source .stack/env && $(NODE) bench/main.ts

stop: node_modules/.installed
	@$(NODE) scripts/stack/stop.ts

lose-cluster: node_modules/.installed
	@$(NODE) scripts/stack/lose-cluster.ts

# Not at every newer file: what runs out of node_modules would lose it while it is installed again.
node_modules/.installed: package-lock.json
	@scripts/prerequisites.sh
	@cmp --silent $< $@ || npm ci --no-audit --no-fund --loglevel=error
	@cp $< $@
