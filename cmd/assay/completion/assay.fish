# fish completion for assay
function __assay_offers
    set -l words (commandline -opc) (commandline -ct)
    assay __complete $words[2..-1] 2>/dev/null
end
complete -c assay -a '(__assay_offers)'
