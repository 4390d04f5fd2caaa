package io.millrace.main;

import java.io.PrintWriter;
import java.math.BigInteger;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Says what is wrong with the command line, and where all options are: the whole help would push the mistake off the screen. */
final class UsageMistake implements CommandLine.IParameterExceptionHandler {
    private static final List<String> IN_THE_CONFIG = List.of("--port", "--host", "--data");

    /** Lets the commands speak of mistakes in this way, and in words instead of those of Java. */
    static void toldBy(CommandLine command) {
        command.registerConverter(int.class, text -> (int) whole(text, Integer.MAX_VALUE));
        command.registerConverter(long.class, text -> whole(text, Long.MAX_VALUE));
        command.registerConverter(double.class, UsageMistake::number);
        command.setParameterExceptionHandler(new UsageMistake());
    }

    private static long whole(String text, long most) {
        if (!text.matches("[+-]?[0-9]+")) {
            throw new TypeConversionException('"' + text + "\" is not a whole number");
        }
        BigInteger number = new BigInteger(text);
        if (number.abs().compareTo(BigInteger.valueOf(most)) > 0) {
            throw new TypeConversionException('"' + text + "\" is too large");
        }
        return number.longValue();
    }

    private static double number(String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new TypeConversionException('"' + text + "\" is not a number");
        }
    }

    @Override
    public int handleParseException(ParameterException e, String[] args) {
        CommandLine command = e.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("millrace: " + words(e));
        UnmatchedArgumentException.printSuggestions(e, err);
        if (command.getParent() == null && e instanceof UnmatchedArgumentException unknown && isInTheConfig(unknown)) {
            err.println("Ports, hosts and directories are set in the config file; see config/README.md");
        }
        err.println(command.getCommandSpec().qualifiedName() + " --help lists all options");
        return command.getCommandSpec().exitCodeOnInvalidInput();
    }

    private static String words(ParameterException e) {
        ArgSpec argument = e.getArgSpec();
        if (argument == null || !(e.getCause() instanceof TypeConversionException)) {
            return e.getMessage();
        }
        String name = argument instanceof OptionSpec option ? option.longestName() : argument.paramLabel();
        return name + ": " + e.getCause().getMessage();
    }

    private static boolean isInTheConfig(UnmatchedArgumentException unknown) {
        return unknown.getUnmatched().stream()
                .anyMatch(argument -> IN_THE_CONFIG.contains(argument.replaceFirst("=.*", "")));
    }
}
