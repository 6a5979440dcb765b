/** The profile that `profile init` writes. A test reads it back, so it cannot drift from the keys. */
export function profileTemplate(): string {
  return `# yaml-language-server: $schema=./node_modules/kalam-ready/schemas/profile.schema.json
# What kalam-ready checks, on which server, and what it may touch. Every key except version is optional.
version: 1
name: my-server

# References: \${env:NAME}, \${env:NAME:-default}, \${file:PATH}. Nothing is executed.
server: \${env:KALAM_READY_URL:-http://127.0.0.1:8080}
login:
  user: root
  password: \${env:KALAM_READY_PASSWORD} # never the secret itself

# A CA of your own, and a header for a gateway in front of the server.
# tls: { ca-file: ca.pem }
# headers: { X-Gate: "\${env:GATE_KEY}" }

# true: only what allow lists here may be touched, and --allow on the command line cannot widen it.
production: false
# nothing, scratch (namespaces and accounts of the run's own), load, process, disk
allow: [scratch]

# The size of the samples: light, standard or deep.
effort: standard
# Time limits of the whole run, and of one check.
budget: 10m
timeout: 60s

# The level of finding that fails the run: block, or warn for both.
fail-on: block

# These must pass; one that cannot be determined makes the verdict CANNOT TELL.
require:
  - configuration/answers-sql

# Skipped, each with a reason.
# skip:
#   configuration/clock-in-step: the clocks of this lab are set by hand

# Limits and levels of single checks; kalam-ready explain <id> lists them.
# checks:
#   configuration/clock-in-step:
#     limits: { clockOffMsMax: 10000 }

# Known failures, each accepted for at most 180 days. They stay visible.
# accept:
#   - check: configuration/bad-namespace-refused
#     finding: trailingTextIgnored
#     reason: our scripts validate names before sending them
#     until: 2027-01-31 # the last day; it ends at midnight UTC

# Written in addition to the table on stdout.
# reports:
#   - { format: junit, path: out/ready.xml }
#   - { format: json, path: out/ready.json }
`;
}
