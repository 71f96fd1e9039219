# Completion of `patchbay` for bash: source it, or put it into /usr/share/bash-completion/completions/patchbay.
# Calls, agents and queues come from patchbayd when it answers.

_patchbay() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command="" i
  local options="--json --wide --socket --engine-socket --store --timeout --help --version"
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
    --socket | --engine-socket | --store | --timeout | --by | --mode | --to | --at | --output | --agent | --queue) ((i++)) ;;
    -*) ;;
    *)
      command=${COMP_WORDS[i]}
      break
      ;;
    esac
  done
  words() { COMPREPLY+=($(compgen -W "$1" -- "$cur")); }
  ask() { words "$("${COMP_WORDS[0]}" completion "$1" 2>/dev/null)"; }
  files() { COMPREPLY+=($(compgen -f -- "$cur")); }

  case $prev in
  --socket | --engine-socket | --store | --output | --config | --prompts) files; return ;;
  --mode) words "listen whisper barge off"; return ;;
  --interval) words "15m 30m 1h 1d all"; return ;;
  --by | --agent) ask agents; return ;;
  --queue) ask queues; return ;;
  --to) ask agents; ask queues; return ;;
  esac

  case $command in
  "") ask commands; words "$options" ;;
  call | hangup) ask calls ;;
  monitor) ask calls; words "--by --mode" ;;
  takeover) ask calls; words "--by" ;;
  alarms) words "--day" ;;
  report) words "queues agents groups flows notes --by --from --to --interval --zone --rank --lowest --csv" ;;
  plan) words "seats weeks --users --users-per-seat --elsewhere --hours --days --hours-of-one --calls --falls --weeks --zone"; ask queues ;;
  backup) files ;;
  restore) words "--database --config"; files ;;
  queue) ask queues; words "pause resume" ;;
  move) ask calls; ask queues ;;
  record) ask calls; words "start stop pause resume mask unmask refuse --by" ;;
  transfer) ask calls; words "--to --attended --blind --by" ;;
  callback) words "add dial --at"; ask queues; ask calls ;;
  audit) words "--who --method --refused --since --limit" ;;
  knowledge) words "--limit --who" ;;
  article) words "put show delete searches --article --in-vain --since --limit"; files ;;
  customers) words "--number --field --sort --limit" ;;
  customer) words "put delete import export --name --number --field --duplicates --map --errors --sort"; files ;;
  park) ask calls ;;
  unpark) ask agents ;;
  conference) ask calls; ask agents; words "add mute unmute eject lock unlock end" ;;
  consult) ask calls; words "complete cancel conference" ;;
  agent)
    if [ "$prev" = agent ]; then ask agents; words "log conduct"; else words "sign-in sign-out ready not-ready wrap-up-done dnd-on dnd-off"; fi ;;
  agents)
    case $prev in
    agents) words "set" ;;
    set) ask agents ;;
    *) words "sign-in sign-out ready not-ready wrap-up-done dnd-on dnd-off" ;;
    esac ;;
  recordings)
    words "list find export verify reconcile frames search show play excerpt concat waveform prove prove-all anchor hold release delete import tag untag note work-order keys audit --output --all --channel --call --agent --queue --number --since --until --voicemail --unheard --limit --day" ;;
  records) words "--call --agent --queue --number --since --until --limit --after --csv" ;;
  flow) words "check reload draw try --config --prompts --caller --language --closed --svg"; files ;;
  config) words "check show reload"; files ;;
  example) words "config flow" ;;
  prompts) words "list load check say tones --prompts"; files ;;
  legs) words "--engine" ;;
  drops) words "--all" ;;
  events) words "--engine --after --type --seconds" ;;
  top) words "--interval --once --count" ;;
  graph) words "--interval" ;;
  capture) words "--call --leg --write --seconds --packets" ;;
  voicemail) words "heard --no" ;;
  completion) words "commands calls agents queues" ;;
  help) ask commands ;;
  esac
  [[ $cur == --* ]] && words "$options"
}
complete -F _patchbay patchbay
