# bash completion for assay
_assay() {
    # Readline breaks words at : @ and = too. What stands together in the line is
    # one word here; of an offer only the part behind the last break is put in.
    local IFS=$'\n' rest=${COMP_LINE:0:COMP_POINT} words=() last=-1 i word offers
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((last >= 0)) && [[ $rest != [[:space:]]* ]]; then
            words[last]+=$word
        else
            rest=${rest#"${rest%%[![:space:]]*}"}
            ((++last))
            words[last]=$word
        fi
        if [[ $rest == "$word"* ]]; then
            rest=${rest#"$word"}
        else # the cursor stands within this word
            words[last]=${words[last]%"$word"}$rest
            rest=
        fi
    done
    word=${words[last]}
    offers=$("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
    COMPREPLY=()
    for i in $offers; do
        COMPREPLY+=("${i#"${word%"$2"}"}")
    done
}
complete -o default -F _assay assay
