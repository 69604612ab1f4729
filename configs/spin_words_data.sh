#!/bin/bash
# Makes the TFRecords that configs/spin_words.yaml names: real words converted, synthetic ones drawn, a second validation held out.
#
# configs/spin_words_data.sh WORDS OUTPUT [NUM_SYNTHETIC [NUM_LATIN]]     from the root of the project, its environment active, with wordfreq
#
# WORDS holds real/ (icdar2015, iiit5k, svt, born_digital, mjsynth, validation.txt), real_more/ (a folder for each set with images.zip and
# labels.tsv), fonts/, backgrounds/ and text/. OUTPUT gets the shards; by default 240,000 synthetic words in ASCII, and
# 150,000 of charset latin in 19 languages with more long strings, signs, codes, accents and spaces; a quarter as many that are
# mostly long, as many of signs, codes and spaces alone, and as many of nine languages, three quarters of them with accents. Families of fonts in benchmarks/held_out_fonts.txt draw
# none of either. Labels by machines lack accents: words that most likely lost some are left out (652 of 85,457; benchmarks/dropped_accents.py).
# 3.5 minutes of 2 cores of an AMD EPYC (2026-11-28) without the 150,000.
set -euo pipefail
words=$(realpath "$1")
output=$2
num_synthetic=${3:-240000}
num_latin=${4:-150000}
mkdir -p "$output"

convert() { # NAME SOURCE INPUT [FLAGS]
  local name=$1 source=$2 input=$3
  shift 3
  bin/create_tfrecords.py --source="$source" --input="$input" --output="$output/$name" --charset=latin --max_length=40 "$@"
}

real=$words/real
listed() { # NAME SOURCE INPUT: training words, and those of the validation list, which stay whatever their length and characters
  convert "$1" "$2" "$3" --exclude="$real/validation.txt"
  convert "$1_val" "$2" "$3" --only="$real/validation.txt" --charset=any --max_length=99 --num_shards=1
}
listed icdar2015 icdar "$real/icdar2015/gt.txt"
listed iiit5k tsv "$real/iiit5k/train_cased.tsv"
listed svt tsv "$real/svt/labels.txt"
convert born_digital born_digital "$real/born_digital"
convert mjsynth mjsynth "$real/mjsynth/annotation_train.txt"
convert mjsynth_test mjsynth "$real/mjsynth/annotation_test.txt"

# The last COUNT words are the second validation; their order is that of the pictures they were cut from. With LANGUAGES, those whose words have
# lost their accents are left out of training.
held_out() { # NAME COUNT [LANGUAGES]
  local folder=$output/images/$1
  mkdir -p "$folder"
  unzip -q -n "$words/real_more/$1/images.zip" -d "$folder"
  cp "$words/real_more/$1/labels.tsv" "$folder/labels.tsv"
  tail -n "$2" "$folder/labels.tsv" | cut -f1 > "$folder/second.txt"
  : > "$folder/lost.txt"
  if [ -n "${3:-}" ]; then
    benchmarks/dropped_accents.py --labels="$folder/labels.tsv" --languages="$3" --output="$folder/lost.txt"
  fi
  sort -u "$folder/second.txt" "$folder/lost.txt" > "$folder/excluded.txt"
  convert "$1" tsv "$folder/labels.tsv" --exclude="$folder/excluded.txt"
  convert "second_$1" tsv "$folder/labels.tsv" --only="$folder/second.txt" --charset=any --max_length=99 --num_shards=1
}
several=en,fr,es,de
held_out weak_movie_posters 1500 $several
held_out sroie_receipts 600
held_out weak_street 200 $several
held_out weak_packages 200 sv
held_out plates 200
held_out total_text_train_part 40
held_out weak_book_covers 400 $several
held_out weak_shopfronts 300 $several
held_out weak_mlt_photos 300 fr
held_out weak_game_logos 100 $several
held_out weak_game_boxes 60 $several
held_out weak_beer_labels 50 $several
held_out weak_tv_logos 40 $several
held_out weak_tshirts 40 $several

draw() { # NAME COUNT SEED [FLAGS]
  local name=$1 count=$2 seed=$3
  shift 3
  bin/synthesize.py --output="$output/$name" --num_words="$count" --seed="$seed" --size=32,128 --fonts="$words/fonts" \
    --backgrounds="$words/backgrounds" --lexicon="$words/text/synth90k_lexicon.txt,$words/text/icdar2015_generic_vocabulary.txt" \
    --exclude_fonts=benchmarks/held_out_fonts.txt --workers=2 "$@"
}
draw synth "$num_synthetic" 15
european() { # NAME COUNT SEED LANGUAGES SHARES
  draw "$1" "$2" "$3" --charset=latin --max_length=40 --languages="$4" --language_words=8000 --word_split=train --wide_size=32,256 \
    --shares="$5" --effects=colour_only=0.02
}
european latin "$num_latin" 22 eu signs=0.12,long=0.13,codes=0.06,accents=0.3,spaces=0.06
european long "$((num_latin / 4))" 77 eu long=0.75,signs=0.1,accents=0.1,spaces=0.03
european marks "$((num_latin / 4))" 84 en,de,fr,es,it,pl,pt signs=0.55,codes=0.25,spaces=0.2
european accented "$((num_latin / 4))" 83 it,pt,fr,es,sv,hu,ro,pl,de signs=0.1,accents=0.75,spaces=0.1
