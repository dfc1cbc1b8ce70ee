#compdef assay
# zsh completion for assay
_assay() {
    local -a offers
    offers=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n "${offers[1]}" ]]; then
        compadd -- "${offers[@]}"
    else
        _files
    fi
}
if [[ "${funcstack[1]}" == "_assay" ]]; then
    _assay "$@"
else
    compdef _assay assay
fi
