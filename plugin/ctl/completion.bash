# shellcheck shell=bash
# Completion of ipvlanctl for bash.

_ipvlanctl() {
	local word=${COMP_WORDS[COMP_CWORD]}
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W 'show doctor try gc --help --version' -- "$word")
		return
	fi
	case ${COMP_WORDS[1]} in
	show) mapfile -t COMPREPLY < <(compgen -W '--json --dot' -- "$word") ;;
	gc) mapfile -t COMPREPLY < <(compgen -W '--yes' -- "$word") ;;
	try) [ "$COMP_CWORD" != 2 ] || mapfile -t COMPREPLY < <(compgen -f -- "${word:-/etc/cni/net.d/}") ;;
	doctor) mapfile -t COMPREPLY < <(compgen -f -- "${word:-/etc/cni/net.d/}") ;;
	esac
}
complete -o filenames -F _ipvlanctl ipvlanctl
