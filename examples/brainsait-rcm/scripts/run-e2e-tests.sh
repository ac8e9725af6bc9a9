#!/bin/sh
# The platform's end-to-end cases against one environment.
#
#   CLAIMS_URL=… GATEWAY_URL=… API_URL=… WEB_URL=… scripts/run-e2e-tests.sh staging
#
# Needs curl. Exit status: 0 all cases hold, 1 some do not, 2 wrong usage.
set -u

if [ $# -ne 1 ]; then
  echo "usage: $0 ENVIRONMENT" >&2
  exit 2
fi
: "${CLAIMS_URL:?Set it to where claims-scrubbing is reached.}"
: "${GATEWAY_URL:?Set it to where fhir-gateway is reached.}"
: "${API_URL:?Set it to where api is reached.}"
: "${WEB_URL:?Set it to where web is reached.}"
environment=$1
failed=0
cd "$(dirname "$0")/.." || exit 2

# What the clean cases send; the others change one thing in it.
claim=services/claims-scrubbing/tests/claim.json
submission=apps/api/test/submission.json

expect() { # CASE PATTERN ANSWER
  if printf '%s' "$3" | grep -Eq "$2"; then
    echo "ok    $1"
  else
    echo "FAIL  $1: no $2 in the answer: $(printf '%.500s' "$3")"
    failed=1
  fi
}

get() { # URL
  curl -sS --max-time 10 "$1"
}

post() { # URL, body on stdin
  curl -sS --max-time 10 -H 'content-type: application/json' --data-binary @- "$1"
}

# A service that was released here before this commit must answer. One whose first release is still on its way
# may not, and its cases wait for it.
answers() { # SERVICE URL
  curl -fsS -o /dev/null --max-time 5 --retry 3 --retry-delay 1 --retry-all-errors "$2/readyz" 2>/dev/null && return
  if [ -d "infrastructure/kubernetes/services/$1/overlays/$environment/release" ]; then
    echo "FAIL  $1 does not answer at $2"
    failed=1
  else
    echo "-     $1 was not released to $environment yet"
  fi
  return 1
}

validate() { # CASE PATTERN [CHANGE]
  expect "$1" "$2" "$(sed -e "${3:-}" "$claim" | post "$CLAIMS_URL/Claim/\$validate")"
}

submit() { # CASE PATTERN [CHANGE]
  expect "$1" "$2" "$(sed -e "${3:-}" "$submission" | post "$WEB_URL/api/claims")"
}

accepted='"severity": ?"information"'
refused() { # RULE
  echo "\"code\": ?\"$1\""
}

if answers claims-scrubbing "$CLAIMS_URL"; then
  all=yes
  validate 'a clean claim is accepted' "$accepted"
  validate 'a total that the items do not make is refused' "$(refused total)" 's/"total": { "value": 172.5/"total": { "value": 999/'
  validate 'a diagnosis that is no ICD-10-AM code is refused' "$(refused diagnosis-code)" 's/J06.9/flu/'
else
  all=no
fi

if answers fhir-gateway "$GATEWAY_URL"; then
  expect 'the gateway tells what it can do' CapabilityStatement "$(get "$GATEWAY_URL/fhir/metadata")"
  if [ $all = yes ]; then
    answer=$(post "$GATEWAY_URL/fhir/Claim/\$submit" <"$claim")
    expect 'a clean FHIR claim gets a ClaimResponse' '"resourceType": ?"ClaimResponse"' "$answer"
  fi
else
  all=no
fi

answers api "$API_URL" || all=no

if answers web "$WEB_URL"; then
  expect 'the page names its environment' "id=\"environment\">$environment<" "$(get "$WEB_URL/")"
  if [ $all = yes ]; then
    submit 'a submission goes from the page to the rules and back' '"accepted":true'
    submit 'its broken rules come back to the page' '"rule":"diagnosis-code"' 's/J06.9/flu/'
  fi
fi

exit $failed
