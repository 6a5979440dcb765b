/** The profile that `profile init` writes. A test reads it back, so it cannot drift from the keys. */
export function profileTemplate(): string {
  return `# yaml-language-server: $schema=./node_modules/kalam-ready/schemas/profile.schema.json
# What kalam-ready checks, where, and how far it may go. Every key but version may be left out.
version: 1
name: my-server

# References: \${env:NAME}, \${env:NAME:-default}, \${file:PATH}. Nothing is executed.
server: \${env:KALAM_READY_URL:-http://127.0.0.1:8080}
login:
  user: root
  password: \${env:KALAM_READY_PASSWORD} # a secret must not stand here itself

# true: only what allow names here may be touched, and --allow on the command line cannot widen it.
production: false
# nothing, scratch (namespaces and accounts of the run's own), load, process, disk
allow: [scratch]

# light, standard or deep: how large the samples are.
effort: standard
# The whole run, and one check.
budget: 10m
timeout: 60s

# Which level of finding fails the gate: block, or warn for both.
fail-on: block

# These must pass; one that cannot be determined makes the run say that it cannot tell.
require:
  - configuration/answers-sql

# Left out, each with the reason.
# skip:
#   configuration/clock-in-step: the clocks of this lab are set by hand

# Limits and levels of single checks; kalam-ready explain <id> shows what there is.
# checks:
#   configuration/clock-in-step:
#     limits: { clockOffMsMax: 10000 }

# Known failures, each for at most 180 days. They stay visible.
# accept:
#   - check: configuration/bad-namespace-refused
#     finding: trailingTextIgnored
#     reason: our scripts check names before they send them
#     until: 2027-01-31

# Besides the table on stdout.
# reports:
#   - { format: junit, path: out/ready.xml }
#   - { format: json, path: out/ready.json }
`;
}
