#!/bin/sh
# The API with curl: a list, a page, filters, a walk by cursor, formats, history, and what is unchanged.
set -eu

url=${API_URL:-http://127.0.0.1:8000}
# The password comes by a file, not as an argument: those are seen in the list of processes.
ask() {
    printf 'user = "%s:%s"\n' "${API_USERNAME:-admin}" "${API_PASSWORD:-admin}" |
        curl --config - --silent --show-error --fail "$@"
}

echo "The plans:"
ask "$url/plans?fields=plan_id,plan_name,monthly_fee"

printf '\n\nA page of Europeans, the latest first:\n'
ask "$url/users?region=Europe&ordering=-signup_date&page=1&size=2"

printf '\n\nAll users as CSV, lines:\n'
ask --compressed "$url/users?format=csv" | wc -l

printf '\nA walk through the usage, by the links in the answers:\n'
next="/usages?cursor=&size=1000&fields=usage_id"
while [ -n "$next" ]; do
    page=$(ask "$url$next")
    next=$(printf '%s' "$page" | sed -n 's/.*"next": *"\([^"]*\)".*/\1/p')
    printf '%s rows\n' "$(printf '%s' "$page" | grep -o '"usage_id"' | wc -l)"
done

printf '\nThe history of a plan:\n'
ask "$url/plans/3/history"

printf '\n\nWhat has not changed is not sent again:\n'
tag=$(ask --head "$url/users" | sed -n 's/^[Ee][Tt]ag: //p' | tr -d '\r')
ask --header "If-None-Match: $tag" --output /dev/null --write-out '%{http_code}\n' "$url/users"
