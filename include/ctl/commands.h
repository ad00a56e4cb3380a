/*
 * What ipvlanctl does: a file of plugin/ctl/ each. argv[0] is the command. All return
 * main()'s exit status.
 */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#define EXIT_USAGE 2

int show_main(int argc, char **argv);
int doctor_main(int argc, char **argv);
int try_main(int argc, char **argv);
int gc_main(int argc, char **argv);

#endif
