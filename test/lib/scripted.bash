# shellcheck shell=bash disable=SC2034 # for those who include this
# SPDX-License-Identifier: Apache-2.0
# A server with the answers that a test sets, for answers that real servers seldom give.
#
#	scripted_start          SCRIPTED_URL; from then on it answers in the order of what follows
#	answers STATUS [BODY [HEADER...]]    "hangs" and "half" are answers as well
#	forget_answers          from then on those that follow
#	asked                   the requests so far, a line each: method, path, body
#	scripted_kubernetes     ENGINE: it is the Kubernetes API
#	scripted_stop
#
# The last answer is repeated.

scripted_start() {
	local port
	SCRIPTED=$BATS_TEST_TMPDIR/scripted
	port=$(etcd_port)
	SCRIPTED_URL=http://127.0.0.1:$port
	mkdir -p "$SCRIPTED"
	cat >"$SCRIPTED/serve" <<-'SERVE'
		#!/bin/bash
		cd "$(dirname "$0")" || exit
		read -r method path _ && [ "$path" ] || exit
		while read -r header && [ "${header%$'\r'}" ]; do
			[[ ${header,,} = content-length:* ]] && length=${header#*: } && length=${length%$'\r'}
		done
		[ -z "$length" ] || body=$(head -c "$length")
		exec 9>lock
		flock 9
		echo "$method $path $body" >>asked
		n=$(($(cat count 2>/dev/null || echo 0) + 1))
		echo $n >count
		flock -u 9
		while [ ! -e answer-$n ]; do n=$((n - 1)); done
		[ "$(cat answer-$n)" != hangs ] || exec sleep 60
		cat answer-$n
	SERVE
	chmod +x "$SCRIPTED/serve"
	socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork" "EXEC:$SCRIPTED/serve" 3>&- &
	SCRIPTED_PID=$!
	for _ in {1..100}; do
		(: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
		sleep 0.05
	done
	rm -f "$SCRIPTED/asked" "$SCRIPTED/count"
	ANSWERS=0
}

scripted_kubernetes() {
	local kubeconfig=$BATS_TEST_TMPDIR/kubeconfig
	cat >"$kubeconfig" <<-CONFIG
		current-context: c
		contexts: [{name: c, context: {cluster: c, user: u}}]
		clusters: [{name: c, cluster: {server: "$SCRIPTED_URL"}}]
		users: [{name: u, user: {}}]
	CONFIG
	ENGINE="\"kubernetes\": {\"kubeconfig\": \"$kubeconfig\"}"
}

answers() {
	local status=$1 body=${2:-} header
	ANSWERS=$((ANSWERS + 1))
	shift
	shift $(($# > 0))
	case $status in
	hangs) echo hangs ;;
	half) printf 'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s' 1000 "$body" ;;
	*)
		printf 'HTTP/1.1 %s X\r\nContent-Length: %d\r\nConnection: close\r\n' "$status" "${#body}"
		for header in "$@"; do
			printf '%s\r\n' "$header"
		done
		printf '\r\n%s' "$body"
		;;
	esac >"$SCRIPTED/answer-$ANSWERS"
}

forget_answers() {
	rm -f "$SCRIPTED"/answer-* "$SCRIPTED/count"
	ANSWERS=0
}

asked() {
	cat "$SCRIPTED/asked"
}

scripted_stop() {
	kill "$SCRIPTED_PID" 2>/dev/null || :
	wait "$SCRIPTED_PID" 2>/dev/null || :
}
